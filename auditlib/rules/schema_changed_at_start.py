"""The application changes the schema of its database when it starts.

Tables are made after the classes of whatever version starts. `create_all` and `sync()` leave tables alone that are
there already, so that a new column is missing in production; AutoMigrate and Hibernate's `update` add columns, and
rename and remove none; `synchronize: true` drops columns with their data where a field was renamed. Nothing records
which state the schema has, nothing leads back, and replicas that start together change the same tables at once.

Anti-pattern:

    Base.metadata.create_all(bind=engine)      # main.py
    spring.jpa.hibernate.ddl-auto=update       # application-prod.properties

Better:

    # compose.yaml: migrations that are written down run once, before the application
    migrate: {build: ., command: alembic upgrade head, restart: "no"}
    api: {build: ., depends_on: {migrate: {condition: service_completed_successfully}}}

Recommendation:

    Write changes of the schema as migrations (Alembic, golang-migrate, Flyway, TypeORM's own), and apply them in a step
    of the deployment.

References:

- https://docs.sqlalchemy.org/en/20/core/metadata.html#altering-database-objects-through-migrations
- https://typeorm.io/docs/data-source/data-source-options/
- https://docs.spring.io/spring-boot/how-to/data-initialization.html
- https://gorm.io/docs/migration.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _durability as durability
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MIGRATIONS = regex(
    r"(?:^|/)(?:alembic\.ini|flyway\.conf|V\d+__[^/]*\.sql|\d+[\w-]*\.(?:up|down)\.sql|db/migrate/[^/]+\.rb|"
    r"(?:alembic|migrations?)/(?:versions/|[^/]*\d)[^/]*\.(?:py|sql|ts|js|go|cs))$"
)
_DOES = {
    "AutoMigrate": "adds tables and columns, and never renames or removes one",
    "create_all": "makes missing tables, and never changes one that is there",
    "sync()": "makes missing tables, and never changes one that is there",
    "synchronize: true": "makes the tables like the classes and drops a column with its data where a field is renamed",
    "EnsureCreated()": "makes the tables of an empty database, and never changes one that is there",
    "ddl-auto: update": "adds tables and columns, and never renames or removes one",
}
_INSTEAD = {
    "AutoMigrate": 'migrate -path migrations -database "$DATABASE_URL" up   # golang-migrate, before the start',
    "create_all": "alembic revision --autogenerate -m initial   # once\nalembic upgrade head   # before each start",
    "sync()": "npx sequelize-cli db:migrate   # before the program starts",
    "synchronize: true": "synchronize: false,   // and `typeorm migration:run` before the program starts",
    "EnsureCreated()": "context.Database.Migrate();   // after `dotnet ef migrations add Initial`",
    "ddl-auto: update": "spring.jpa.hibernate.ddl-auto=validate   # and changes as db/migration/V1__….sql for Flyway",
}
_SWITCHES = ("_DDL_AUTO", "_HBM2DDL_AUTO", "SYNCHRONIZE", "_SYNC")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each way the code of deployed services that makes or changes tables when it starts."""
    ways: defaultdict[str, list[Use]] = defaultdict(list)
    for use in code_traits.of(inventory, "schema"):
        kept = tuple(item for item in use.services if not _is_told(item) and not durability.is_worker(inventory, item))
        if kept or not use.services:
            ways[use.trait.word].append(Use(use.trait, kept))
    written = next((path for path in inventory.files if _MIGRATIONS.search(path)), "") if ways else ""
    for word, uses in ways.items():
        yield _evidence(inventory, word, sorted(uses, key=_prominence), written)


def _is_told(service: Service) -> bool:
    """Whether a variable of the service decides in the place of the code's own setting."""
    return any(entry.name.endswith(_SWITCHES) for entry in service.environment)


def _prominence(use: Use) -> bool:
    return "prod" not in use.trait.location.file


def _evidence(inventory: Inventory, word: str, uses: list[Use], kept: str) -> Evidence:
    trait = uses[0].trait
    file = trait.location.file
    starting = {item.key: item for use in uses for item in use.services}
    several = len(starting) > 1 or any((item.replicas or 1) > 1 for item in starting.values())
    beside = (
        f" {kept} holds migrations beside it, which then find tables that they didn't make."
        if kept
        else " No file holds migrations, so nothing says which state the schema has or leads back to the last one."
    )
    at_once = " Several of them may do so at once." if several and len(uses) < len(starting) else ""
    lead = _DOES[word]
    return Evidence(
        f"{code_traits.names(uses)} {'change' if several and len(starting) > 1 else 'changes'} the schema at "
        f"each start by `{word}`, which {lead}.{beside}{at_once}",
        trait.location,
        subject=f"schema/{word}",
        service=code_uses.first_service(uses),
        related=code_uses.members(uses),
        severity=Severity.LOW if kept and word != "synchronize: true" else None,
        recommendation=f"Take `{word}` out of {file}, and apply written migrations before the program starts.",
        example=files.into(file, _INSTEAD[word])
        if word in ("synchronize: true", "ddl-auto: update", "EnsureCreated()")
        else _INSTEAD[word],
    )
