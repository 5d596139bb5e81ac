"""The tests run on another database than what is deployed.

Types, locks, constraints and migrations differ, so that tests are green over statements that fail in production, and
the other way round.

Anti-pattern:

    # .github/workflows/ci.yml
    - run: pytest
      env: {DATABASE_URL: "sqlite:///test.db"}
    # compose.yaml
    db: {image: "postgres:17.2"}

Better:

    services:
      postgres: {image: "postgres:17.2"}

Recommendation:

    Give the job the database of production as a service, in the same version.

References:

- https://docs.github.com/en/actions/tutorials/use-containerized-services/create-postgresql-service-containers
- https://12factor.net/dev-prod-parity
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, programs, services, sqlite_files, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import MemoryDatabase, Setting
from auditlib.inventory.delivery import Job, Pair, Workflow
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SQLITE = regex(r"sqlite(?:\+\w+)?:|django\.db\.backends\.sqlite3")
_JAVA_TESTS = regex(
    r"^(?:\S*/)?(?:mvnw?\s(?!.*-DskipTests)(?:\S+\s)*(?:test|package|verify|install)\b|"
    r"gradlew?\s(?!.*\s-x\s+test)(?:\S+\s)*(?:test|check|build)\b)"
)
_PYTHON = ("pytest", "unittest")
_OF_TESTS = regex(
    r"(?:^|/)(?:conftest\.py|pytest\.ini|tox\.ini|setup\.cfg|pyproject\.toml|noxfile\.py|\.env\.\w*(?:test|ci)\w*|tests?/.+)$"
)
_TEST_SETTINGS = regex(
    r"(?:^|/)(?:settings|config|conf)/(?:tests?|testing|ci)\w*\.py$|"
    r"(?:^|/)(?<!tests/)(?<!test/)(?:test\w*_settings|settings_(?:test|ci)\w*)\.py$"
)
_SERVERS = frozenset({"PostgreSQL", "MySQL", "MariaDB"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that gives its tests an address of SQLite, where the services that are deployed have a server."""
    database = next((item for item in inventory.distinct_services if _is_server(inventory, item)), None)
    if database is None:
        return
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            given = next((pair for pair in _given(workflow, job) if _SQLITE.match(pair.value)), None)
            if given is not None:
                yield _evidence(inventory, job, given, database)
            elif memory := _in_memory(inventory, workflow, job):
                yield _of_memory(inventory, job, memory, database)
            elif setting := _fallback(inventory, workflow, job):
                yield _of_fallback(inventory, job, setting, database)


def _fallback(inventory: Inventory, workflow: Workflow, job: Job) -> Setting | None:
    """The address that falls back to SQLite in the tests of a job, which sets no variable and starts no database."""
    runs = [command for step in job.steps for command in step.commands]
    patterns = [tools.TEST_FRAMEWORKS[name] for name in _PYTHON]
    tests = any(pattern.search(" ".join(item.words)) for item in runs for pattern in patterns)
    if not tests or job.services or job.container or any("docker" in word for item in runs for word in item.words):
        return None
    falling = [
        item for item in inventory.settings if item.location.file.endswith(".py") and sqlite_files.falls_back(item)
    ]
    if not falling or _has_settings_for_tests(inventory):
        return None
    given = {pair.name for pair in _given(workflow, job)}
    said = " ".join(step.run for step in job.steps)
    told = {name for item in inventory.named_variables if _OF_TESTS.search(item.path) for name in item.names}
    told |= {item.name.lower() for item in inventory.settings if _OF_TESTS.search(item.location.file)}
    run = [item for item in falling if any(each.holds(item.location.file) for each in programs.programs(inventory))]
    return next((item for item in run if item.name not in given and item.name not in said
                 and item.name.lower() not in told), None)  # fmt: skip


def _has_settings_for_tests(inventory: Inventory) -> bool:
    """Whether a file is there for the settings of tests, or their code starts a database itself."""
    packages = (item.name for manifest in inventory.manifests for item in manifest.requirements)
    return any(map(_TEST_SETTINGS.search, inventory.files)) or any("testcontainers" in name for name in packages)


def _of_fallback(inventory: Inventory, job: Job, setting: Setting, database: Service) -> Evidence:
    found = services.product(inventory, database)
    name = found.name if found else database.name
    return Evidence(
        f"The job {job.id} runs tests without {setting.name}, which falls back to SQLite in {setting.location.file}, "
        f"and {database.name} of {database.location.file} is {name}: what the tests show doesn't hold there, unless "
        "they name another database themselves.",
        job.location,
        subject=f"{job.workflow}/{job.id}/{setting.name}",
        related=(
            Related(setting.location, f"{setting.name} falls back to SQLite"),
            Related(database.location, f"{name}, which is deployed"),
        ),
        recommendation=f"Give the job {job.id} {database.image or name} as a service, and its address as "
        f"{setting.name}.",
        confidence=Confidence.MEDIUM,
        example=workflow_lines.of_job(job.workflow, job.id, _server(job, name, database, setting.name)),
    )


def _in_memory(inventory: Inventory, workflow: Workflow, job: Job) -> MemoryDatabase | None:
    """The database in memory that a profile of Spring gives to the tests of a job, and no variable replaces."""
    if any("jdbc:" in pair.value or "DATASOURCE" in pair.name for pair in _given(workflow, job)):
        return None
    profiles = {name.strip() for pair in _given(workflow, job) if pair.name == "SPRING_PROFILES_ACTIVE"
                for name in pair.value.split(",")}  # fmt: skip
    runs = (" ".join(command.words) for step in job.steps for command in step.commands)
    found = [item for item in inventory.memory_databases if item.of_tests and item.profile in {"", *profiles}]
    return found[0] if found and any(map(_JAVA_TESTS.search, runs)) else None


def _of_memory(inventory: Inventory, job: Job, memory: MemoryDatabase, database: Service) -> Evidence:
    found = services.product(inventory, database)
    name = found.name if found else database.name
    started = [item for item in job.services if (kind := images.product(item.image)) and kind.name == name]
    idle = f"; the job starts {name}, and no address of it is given" if started else ""
    return Evidence(
        f"{memory.location.file} gives the tests of the job {job.id} a database in memory, and {database.name} of "
        f"{database.location.file} is {name}: what the tests show doesn't hold there, unless their code names another "
        f"one{idle}.",
        memory.location,
        subject=f"{job.workflow}/{job.id}/memory",
        related=(
            Related(database.location, f"{name}, which is deployed"),
            *(Related(item.location, f"the job starts {name}") for item in started),
        ),
        recommendation=f"Give the tests an address of {name}, of a service of the job or by Testcontainers.",
        confidence=Confidence.MEDIUM,
        example=workflow_lines.of_job(
            job.workflow,
            job.id,
            f"env:\n  SPRING_DATASOURCE_URL: <the address of {name}, with its login>"
            if started
            else _server(job, name, database, "SPRING_DATASOURCE_URL"),
        ),
    )


_LOGINS = {
    "PostgreSQL": ("POSTGRES_PASSWORD", "5432"), "MySQL": ("MYSQL_ROOT_PASSWORD", "3306"),
    "MariaDB": ("MARIADB_ROOT_PASSWORD", "3306"),
}  # fmt: skip
"""The variable without which the image of a server doesn't start, and its port."""


def _server(job: Job, name: str, database: Service, variable: str) -> str:
    """The server as a service of a job, and the address by which the job reaches it, on its host or in a container."""
    image = database.image or name.lower()
    if name not in _LOGINS:
        return f"services:\n  {database.name}:\n    image: {image}"
    password, port = _LOGINS[name]
    host, published = (database.name, "") if job.container else ("localhost", f'\n    ports: ["{port}:{port}"]')
    return (
        f"services:\n  {database.name}:\n    image: {image}\n    env: {{{password}: only-for-tests}}{published}\n"
        f"env:\n  {variable}: <its address, at {host}:{port} with that password>"
    )


def _is_server(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    return found is not None and found.name in _SERVERS and not environments.only_for_development(service)


def _given(workflow: Workflow, job: Job) -> Iterator[Pair]:
    """The variables of a job and of its steps, and those of the workflow that reach it."""
    yield from job.env
    for step in job.steps:
        yield from step.env
    yield from workflow.env


def _evidence(inventory: Inventory, job: Job, given: Pair, database: Service) -> Evidence:
    found = services.product(inventory, database)
    name = found.name if found else database.name
    return Evidence(
        f"The job {job.id} sets {given.name} to SQLite, and {database.name} of {database.location.file} is {name}: "
        "what the tests show doesn't hold there.",
        given.location,
        subject=f"{job.workflow}/{job.id}/{given.name}",
        related=(Related(database.location, f"{name}, which is deployed"),),
        recommendation=f"Give the job {job.id} {database.image or name} as a service, and its address as {given.name}, "
        "which tests that name an engine themselves have to read too.",
        example=workflow_lines.of_job(job.workflow, job.id, _server(job, name, database, given.name)),
    )
