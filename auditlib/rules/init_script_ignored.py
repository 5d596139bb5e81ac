"""A database reads its init scripts only while its volume is empty.

What is mounted at /docker-entrypoint-initdb.d runs once, when the database is created. Where the volume already holds a
database, a later change of the script does nothing: new machines and old ones drift apart without a word.

Anti-pattern:

    db:
      image: postgres:16
      volumes:
        - data:/var/lib/postgresql/data
        - ./schema.sql:/docker-entrypoint-initdb.d/schema.sql

Better:

    db:
      image: postgres:16
      volumes:
        - data:/var/lib/postgresql/data
    migrate:
      build: ./backend
      command: alembic upgrade head

Recommendation:

    Keep the schema in migrations that run at each deployment; leave to the init script only what a new, empty database
    needs before them.

References:

- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mysql
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import deployment, init_scripts, kept_data, migrations, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_MIGRATION = regex(
    r"(?:^|/)(?:alembic\.ini|knexfile\.[jt]s|migrat(?:ions?|e)/[^/]+\.(?:py|sql|rb|php|[jt]s)|V\d[^/]*__[^/]+\.sql)$"
)
"""A file of the tools that change a schema at each deployment."""
_AROUND = 6
"""Lines between a comment and the mount that it speaks of."""
_FOLDER = init_scripts.FOLDER


_Script = tuple[str, Location]
"""An init script, or a folder of them, and the place that puts it there."""


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every database with init scripts, mounted or in its image, and a volume that outlives its container."""
    steps = [path for path in inventory.files if _MIGRATION.search(path)]
    tool = bool(inventory.migrators) or any(migrations.applies(text) for text in _told(inventory))
    for service in inventory.distinct_services:
        found = services.product(inventory, service)
        data = kept_data.keeps_data(service, found)
        scripts = list(_scripts(inventory, service, data)) if data else []
        if scripts and data and found:
            by_itself = {path for path in steps for source, _ in scripts if mounts.is_below(path, source)}
            migrates = tool or len(by_itself) < len(steps)
            yield _evidence(inventory, service, found.name, scripts, data, migrates=migrates, steps=bool(by_itself))


def _told(inventory: Inventory) -> Iterator[str]:
    """The commands of the repository, those of its scripts and containers included."""
    yield from (" ".join(item.words) for item in deployment.commands(inventory))
    yield from (" ".join((*service.entrypoint, *service.command)) for service in inventory.services)


def _scripts(inventory: Inventory, service: Service, data: Mount | None) -> Iterator[_Script]:
    never = {(item.path, item.location) for item in init_scripts.unread(inventory, service)}
    for mount in service.mounts:
        missing = not mount.outside and mount.source not in inventory.file_set | inventory.folder_set
        runs = not missing and (mount.source, mount.location) not in never
        if mount.kind == "bind" and mount.target.startswith(_FOLDER) and mount is not data and runs:
            yield mount.source, mount.location
    for item in services.built_from(inventory, service)[1]:
        if item.keyword in ("COPY", "ADD") and item.words and item.words[-1].startswith(_FOLDER):
            yield listed(item.words[:-1]), item.location


_CLIENTS = {
    "PostgreSQL": 'psql -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"',
    "MySQL": 'mysql -uroot -p"$MYSQL_ROOT_PASSWORD" "$MYSQL_DATABASE"',
    "MariaDB": 'mariadb -uroot -p"${MARIADB_ROOT_PASSWORD:-$MYSQL_ROOT_PASSWORD}" '
    '"${MARIADB_DATABASE:-$MYSQL_DATABASE}"',
    "MongoDB": 'mongosh "${MONGO_INITDB_DATABASE:-test}"',
}
_MONGO_LOGIN = "MONGO_INITDB_ROOT_USERNAME"
_AS_ROOT = f' --authenticationDatabase admin -u "${_MONGO_LOGIN}" -p "$MONGO_INITDB_ROOT_PASSWORD"'


def _for_existing(inventory: Inventory, service: Service, product: str) -> str:
    """How a change reaches the database that exists, until there are migrations."""
    named = "MariaDB" if "mariadb" in service.image else product  # whose image has no client called mysql
    client = _CLIENTS.get(named, f"<the client of {product}>")
    if product == "MongoDB" and any(entry.name == _MONGO_LOGIN for entry in service.environment):
        client += _AS_ROOT
    compose = compose_lines.call(inventory, service.project)
    return f"{compose} exec -T {shlex.quote(service.name)} sh -c '{client}' < '<file with the new statements>'"


def _is_told(inventory: Inventory, service: Service, place: Location) -> bool:
    """Whether a comment around the mount, or above all services of the file, says when such scripts run."""
    said = (item for project in inventory.projects if project.name == service.project for item in project.first_starts)
    mine = inventory.services_of(service.project).values()
    head = min((item.location.line for item in mine if item.location.file == place.file), default=0)
    return any(
        item.file == place.file and (item.line < head or abs(item.line - place.line) <= _AROUND) for item in said
    )


def _advice(first: str, *, migrates: bool, steps: bool) -> str:
    if migrates:
        return f"Leave in {first} only what has to be there before the first migration, if it holds more."
    if steps:
        return f"Let a migration tool apply {first} at each deployment, in place of the database's first start."
    return f"Move what may change out of {first} into migrations that run at each deployment."


def _evidence(
    inventory: Inventory,
    service: Service,
    product: str,
    scripts: list[_Script],
    data: Mount,
    *,
    migrates: bool,
    steps: bool,
) -> Evidence:
    """One finding for the scripts of a database; `steps` tells that they are migrations by their names."""
    (first, place), *others = scripts
    told = _is_told(inventory, service, place)
    return Evidence(
        f"{product} in {service.name} runs {first} only as long as {data.source or data.target} is empty"
        f"{', as a comment says' if told else ''}; a later change of it reaches no database that exists.",
        place,
        subject=f"{service.name}/{first}",
        service=service.name,
        related=(
            *(Related(where, "the same holds for this script", member=True) for _, where in others),
            Related(data.location, "what is here already keeps the script from running"),
        ),
        recommendation=_advice(first, migrates=migrates or told, steps=steps),
        severity=Severity.INFO if migrates or told else Severity.MEDIUM if steps else None,
        confidence=Confidence.MEDIUM if migrates or told else None,  # what the script holds isn't read
        example=_for_existing(inventory, service, product),
    )
