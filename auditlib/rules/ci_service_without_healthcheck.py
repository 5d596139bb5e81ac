"""A job's tests start before its database answers.

GitHub starts the service containers of a job and waits for those that have a health check. A database without one may
still make its data folder when the first test connects, so that a run fails now and then for no reason.

Anti-pattern:

    services:
      postgres:
        image: postgres:16
        ports: ["5432:5432"]

Better:

    services:
      postgres:
        image: postgres:16
        ports: ["5432:5432"]
        options: >-
          --health-cmd pg_isready --health-interval 5s --health-retries 10

Recommendation:

    Give the service container a health check by `options`.

References:

- https://docs.github.com/en/actions/tutorials/use-containerized-services/create-postgresql-service-containers
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, JobService
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_MARIADB = '"healthcheck.sh --connect --innodb_initialized"'
_SLOW = {
    "PostgreSQL": "pg_isready",
    "MySQL": '"mysqladmin ping"',
    "MongoDB": '"mongosh --eval db.hello()"',
    "RabbitMQ": '"rabbitmq-diagnostics -q ping"',
}
"""Products whose first start takes longer than that of a job's first command, with the command that asks them."""
_OLD_MONGO = regex(r"mongo:[34]\b")
"""Before 5.0 the image has the older shell alone."""
_WAITS = regex(r"\b(?:wait|until|while|pg_isready|dockerize|sleep|nc -z|health|ping|retry|ready)")
"""What a step that waits by itself has in it."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service container of a slow starter for which neither GitHub nor a step waits."""
    for job in inventory.jobs:
        if not any(_WAITS.search(f"{step.name} {step.run} {step.uses}") for step in job.steps):
            yield from _of_job(job)


def _of_job(job: Job) -> Iterator[Evidence]:
    for service in job.services:
        found = images.product(service.image)
        untested = "health-cmd" not in service.options and images.brings_healthcheck(service.image) is False
        if found and found.name in _SLOW and untested:
            asks = _MARIADB if "mariadb" in service.image else _SLOW[found.name]
            if _OLD_MONGO.search(service.image):
                asks = asks.replace("mongosh", "mongo").replace("db.hello", "db.version")
            yield _evidence(job, service, f"--health-cmd {asks} --health-interval 5s --health-retries 10")


def _evidence(job: Job, service: JobService, options: str) -> Evidence:
    lines = f"services:\n  {service.name}:\n    options: >-\n      {' '.join((service.options, options)).strip()}"
    return Evidence(
        f"The job {job.id} starts {service.image} without a health check, and no step says that it "
        "waits until it answers.",
        service.location,
        subject=f"{job.id}/{service.name}",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Add `options: {options}` to {service.name} in {job.workflow}.",
        example=workflow_lines.of_job(job.workflow, job.id, lines),
    )
