"""Database migrations exist that nothing applies.

The code of a new version meets the schema of the old one. Somebody has to remember the command at each deployment, and
the first time that it is forgotten the application fails on a missing column.

Anti-pattern:

    # alembic.ini and alembic/versions/ exist
    services:
      api:
        command: uvicorn app.main:app

Better:

    services:
      migrate:
        command: alembic upgrade head
      api:
        depends_on:
          migrate: { condition: service_completed_successfully }

Recommendation:

    Apply the migrations as a step of the deployment, once and before the new version takes requests.

References:

- https://alembic.sqlalchemy.org/en/latest/tutorial.html#running-our-first-migration
- https://docs.djangoproject.com/en/stable/topics/migrations/
- https://www.prisma.io/docs/orm/prisma-client/deployment/deploy-database-changes-with-prisma-migrate
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import build_context, builds, deployment, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.inventory.stack import Build, EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SETS = (
    ("Alembic", regex(r"(?:^|/)alembic\.ini$"), regex(r"(?:^|/)versions/[^/]+\.py$"), "alembic upgrade head"),
    ("Django", regex(r"(?:^|/)manage\.py$"), regex(r"(?:^|/)migrations/\d{4}_[^/]+\.py$"),
     "python manage.py migrate"),
    ("Prisma", regex(r"(?:^|/)schema\.prisma$"), regex(r"(?:^|/)migrations/[^/]+/migration\.sql$"),
     "npx prisma migrate deploy"),
    ("Flyway", regex(r"(?:^|/)flyway\.(?:conf|toml)$"), regex(r"(?:^|/)V\d[^/]*__[^/]+\.sql$"),
     "flyway migrate"),
    ("Knex", regex(r"(?:^|/)knexfile\.[jt]s$"), regex(r"(?:^|/)migrations/\d+[^/]*\.[jt]s$"),
     "npx knex migrate:latest"),
    ("Drizzle", regex(r"(?:^|/)drizzle\.config\.[cm]?[jt]s$"),
     regex(r"(?:^|/)(?:drizzle|migrations)/\d{4}_[^/]+\.sql$"), "npx drizzle-kit migrate"),
    ("Laravel", regex(r"(?:^|/)artisan$"), regex(r"(?:^|/)database/migrations/\d{4}_[^/]+\.php$"),
     "php artisan migrate --force"),
    ("Rails", regex(r"(?:^|/)config/application\.rb$"), regex(r"(?:^|/)db/migrate/\d{14}_[^/]+\.rb$"),
     "bundle exec rails db:migrate"),
)  # fmt: skip
_APPLIES = regex(
    r"\balembic\b.{0,300}\bupgrade\b|\bflask\s+db\s+upgrade\b|\bmigrate\b|\bprisma\s+(?:migrate\s+deploy|db\s+push)|"
    r"\bmigrations?\b|\bdrizzle-kit\s+push\b|\bdb:(?:migrate|prepare|setup|schema:load)\b|"
    r"\bliquibase\b|\bflyway:?migrate\b|\bprestart\b|\bpre-?start\b|\bentrypoint\b|"
    r"\bupgrade-?db\b|\bdb[_-]upgrade",
    re.I,
)
"""A command that applies migrations, or that may by its name."""
_STARTS = regex(r"\bprestart\b|\bpre-?start\b|\bentrypoint\b", re.I)
"""The name of a script that may apply them; what one of the repository does, its own commands tell."""
_ONLY_WRITES = regex(r"\brevision\b|\bmakemigrations\b|\bmigrate\s+dev\b|\bmigrate:make\b")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every set of migrations, if no command of the repository applies migrations and no code does."""
    if inventory.migrators or _is_released_elsewhere(inventory) or any(map(_applies, _commands(inventory))):
        return
    yield from _switched_off(inventory)
    for name, configuration, step, command in _SETS:
        homes = [path for path in inventory.files if configuration.search(path)]
        steps = [path for path in inventory.files if step.search(path)]
        if homes and steps:
            yield _evidence(inventory, name, homes[0], steps, command)


_SWITCHES = {"Flyway": "SPRING_FLYWAY_ENABLED", "Liquibase": "SPRING_LIQUIBASE_ENABLED"}
"""By which Spring, which applies them at the start of the application, is told not to."""
_OF_SPRING = {
    "Flyway": regex(r"(?:^|/)src/main/resources/db/migration/(?:.*/)?V\d[^/]*__[^/]+\.sql$"),
    "Liquibase": regex(r"(?:^|/)src/main/resources/db/changelog/[^/]+\.(?:ya?ml|xml|sql|json)$"),
}


def _switched_off(inventory: Inventory) -> Iterator[Evidence]:
    """The migrations of a program that all services of its image tell not to apply them."""
    for name, switch in _SWITCHES.items():
        steps = [path for path in inventory.files if _OF_SPRING[name].search(path)]
        for service in inventory.distinct_services if steps else ():
            off = next((item for item in service.environment if item.name == switch and _is_off(item)), None)
            inside = [path for path in steps if service.build and _builds(service.build, path)]
            if off and inside and not any(_may_apply(other, switch, inside[0]) for other in inventory.services):
                yield _of_switch(name, service, off, inside)


def _is_off(item: EnvironmentEntry) -> bool:
    return item.value is not None and item.value.text.lower() == "false" and not item.variables


def _builds(build: Build, path: str) -> bool:
    """Whether an image may hold a file: its Dockerfile lies beside or above it, or else its context does."""
    home = posixpath.dirname(build.dockerfile) or build.context.removeprefix(".")
    return not build.outside and mounts.is_below(path, home)


def _may_apply(service: Service, switch: str, path: str) -> bool:
    """Whether a service of the same program isn't told to leave the migrations alone."""
    own = service.build is not None and _builds(service.build, path)
    return own and not any(item.name == switch and _is_off(item) for item in service.environment)


def _of_switch(name: str, service: Service, off: EnvironmentEntry, steps: list[str]) -> Evidence:
    return Evidence(
        f"{name} has migrations in {posixpath.dirname(steps[0])}, {off.name} keeps {service.name} from applying them, "
        "and nothing else does, as far as the repository shows.",
        off.location,
        subject=f"{name}/{service.name}",
        service=service.name,
        related=(Related(Location(steps[0]), "a migration"),),
        recommendation=f"Remove {off.name} from {service.name}, or have a service of its own apply them before.",
        change=("false", "true"),
    )


def _is_released_elsewhere(inventory: Inventory) -> bool:
    """Whether something that isn't read in full, like a chart or a Procfile, may apply them."""
    return bool(deployment.orchestrator_files(inventory) or deployment.unfollowed_ci(inventory))


def _applies(text: str) -> bool:
    return bool(_APPLIES.search(text)) and not _ONLY_WRITES.search(text)


def _commands(inventory: Inventory) -> Iterator[str]:
    """Every command of the repository, those of containers and images included, those of tests left out."""
    tried = {item.location for job in _trying(inventory) for step in job.steps for item in step.commands}
    known = {posixpath.basename(script.path) for script in inventory.scripts if script.commands}
    for text in _all_commands(inventory, tried):
        yield " ".join(word for word in text.split() if not (_STARTS.search(word) and _named(word) in known))


def _trying(inventory: Inventory) -> list[Job]:
    """The jobs that bring a database of their own, which ends with them."""
    return [job for job in inventory.jobs if job.services and not job.environment]


def _named(word: str) -> str:
    return posixpath.basename(word.strip("[]\",'"))


def _all_commands(inventory: Inventory, tried: set[Location]) -> Iterator[str]:
    yield from (" ".join(item.words) for item in deployment.commands(inventory) if item.location not in tried)
    for service in inventory.services:
        yield f"{' '.join((*service.entrypoint, *service.command))} {service.name if service.command else ''}"
    for file in inventory.dockerfiles:
        yield from (item.argument for item in file.instructions if item.keyword in ("CMD", "ENTRYPOINT", "RUN"))
    yield from (pair.value for step in inventory.steps for pair in step.inputs)
    opaque = pipeline.of(inventory, inventory.workflows).opaque
    yield from (run.text for run in opaque if run.location not in tried)


def _service(inventory: Inventory, home: str, folder: str, command: str) -> str:
    """A service that migrates and ends, before the one whose image holds the migrations starts."""
    built = [item for item in inventory.distinct_services if item.build and not item.build.outside]
    mine = [item for item in built if item.build and mounts.is_below(home, item.build.context.removeprefix("."))]
    if not mine:
        return command
    user, build = mine[0], mine[0].build
    needed = "".join(f"\n    {item.service}: {{condition: {item.condition}}}" for item in user.dependencies)
    waits = f"\n  depends_on:{needed}" if needed else ""
    image = _build(user, build) if build else ""
    given = [name for name, has in (("env_file", user.env_files), ("environment", user.environment)) if has]
    settings = "".join(f"\n  {name}: <as of {user.name}>" for name in given)
    migrate = f"migrate:\n  {image}\n  command: {command}{settings}{waits}"
    waiting = compose_lines.waiting(user, "migrate", "service_completed_successfully")
    return f"{_brought(inventory, user, home, folder)}{migrate}\n{waiting}"


def _brought(inventory: Inventory, user: Service, home: str, folder: str) -> str:
    """What the image has to be given first, where it gets its code by name and not the migrations."""
    file = services.dockerfile(inventory, user)
    if file is None or user.build is None or any(mount.kind == "bind" and not mount.outside for mount in user.mounts):
        return ""
    context = user.build.context or "."
    copies = builds.copies(file)
    if not copies or any(build_context.takes(inventory, user.build, item, home) for item in copies):
        return ""
    words = {posixpath.basename(word.rstrip("/")) for item in copies for word in item.words[:-1]}
    beside = posixpath.dirname(home)
    whole = posixpath.join(beside, posixpath.relpath(folder, beside or ".").partition("/")[0])
    paths = [posixpath.relpath(path, context) for path in (home, whole)]
    absent = [path for path in paths if posixpath.basename(path) not in words]
    lines = "\n".join(f"COPY {path} {path}" for path in absent)
    return f"{files.into(file.path, lines)}\n# {user.location.file}\n" if absent else ""


def _build(user: Service, build: Build) -> str:
    """The same build as that of the service, as the Compose file has to name it."""
    context = posixpath.relpath(build.context or ".", posixpath.dirname(user.location.file) or ".")
    shown = context if context.startswith(".") else f"./{context}"
    file = posixpath.relpath(build.dockerfile or "Dockerfile", build.context or ".")
    parts = {"dockerfile": file, "target": build.target}
    told = "".join(f", {name}: {value}" for name, value in parts.items() if value and value != "Dockerfile")
    return f"build: {{context: {shown}{told}}}" if told else f"build: {shown}"


def _evidence(inventory: Inventory, name: str, home: str, steps: list[str], command: str) -> Evidence:
    folder = posixpath.dirname(steps[0])
    main = inventory.base_projects[0].location if inventory.base_projects else None
    return Evidence(
        f"{name} has migrations in {folder}, and nothing applies them: no service, image, workflow or script runs "
        f"`{command}`, and no code does as far as it shows.",
        Location(home),
        subject=name,
        related=(
            Related(Location(steps[0]), "a migration"),
            *((Related(main, "no service of the project applies it"),) if main else ()),
            *(Related(item.location, "nor does this workflow") for item in inventory.workflows[:2]),
        ),
        recommendation=f"Run `{command}` before the new version starts, as a service of its own or in the deployment.",
        example=_service(inventory, home, folder, command),
    )
