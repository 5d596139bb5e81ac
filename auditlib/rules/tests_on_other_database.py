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

from auditlib.conventions import environments, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import MemoryDatabase
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
