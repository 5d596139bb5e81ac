"""The tests run on SQLite, and what is deployed runs on another database.

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

from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Pair, Workflow
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SQLITE = regex(r"sqlite(?:\+\w+)?:|django\.db\.backends\.sqlite3")
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
        recommendation=f"Give the job {job.id} {database.image or name} as a service, and its address as {given.name}.",
        example=workflow_lines.of_job(
            job.workflow, job.id, f"services:\n  {database.name}:\n    image: {database.image or name.lower()}"
        ),
    )
