"""The tests are given the address of a service that their job doesn't start.

The job starts the other services that the application needs, and this one is forgotten. What talks to it fails, or,
more often, has no test at all, since nobody could run one.

Anti-pattern:

    services:
      postgres: {image: "postgres:16", ports: ["5432:5432"]}
    env:
      DATABASE_URL: postgresql://shop:shop@localhost:5432/shop
      BROKER_URL: amqp://guest:guest@localhost:5672//

Better:

    services:
      postgres: {image: "postgres:16", ports: ["5432:5432"]}
      rabbitmq: {image: "rabbitmq:4", ports: ["5672:5672"]}

Recommendation:

    Start the service in the job, or leave its address out where the tests replace it.

References:

- https://docs.github.com/en/actions/how-tos/use-cases-and-examples/using-containerized-services/about-service-containers
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import checks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Pair, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_ADDRESS = regex(
    r"^(?P<scheme>postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|nats)(?:\+\w+)?://(?:[^@/\n]*@)?"
    r"(?:localhost|127\.0\.0\.1)(?::(?P<port>\d+))?(?:/|$)"
)
_KINDS = {
    "postgres": ("PostgreSQL", "5432", "postgres"), "postgresql": ("PostgreSQL", "5432", "postgres"),
    "mysql": ("MySQL", "3306", "mysql"), "mariadb": ("MariaDB", "3306", "mariadb"),
    "mongodb": ("MongoDB", "27017", "mongo"), "redis": ("Redis", "6379", "redis"), "rediss": ("Redis", "6379", "redis"),
    "amqp": ("RabbitMQ", "5672", "rabbitmq"), "amqps": ("RabbitMQ", "5671", "rabbitmq"),
    "nats": ("NATS", "4222", "nats"),
}  # fmt: skip
_STARTS = regex(
    r"\bdocker\s+(?:\S+\s+){0,60}?(?:run|start)\b|\bcompose\s+(?:\S+\s+){0,60}?(?:up|run|start)\b|\bsystemctl\b|\bservice\s+\S+\s+start\b|"
    r"\b(?:redis|rabbitmq|mongo|mysql|mariadb|postgres\w*|nats)[\w-]*\b|"
    r"^(?:make|just|task)\s+(?!\S*(?:test|lint|check|install|build))\w|^(?:bash\s|sh\s|\./)\S*\.sh\b"
)
"""What may start a service by other means, and the names of programs and actions that do."""
_NO_TESTS = regex(
    r"\b(?:lint|format|fmt|ruff|eslint|prettier|mypy|pyright|tsc|black|isort|flake8|pylint|audit)\b|type-?check"
)
"""Checks that read the code and start nothing of it."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that tests with services of its own, and an address of the runner where none of them listens."""
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            if job.services and not job.container and _tests(job) and not _starts_more(job):
                yield from _of_job(workflow, job)


def _tests(job: Job) -> bool:
    commands = (command.words for step in job.steps for command in step.commands)
    return any(checks.is_check(words) and not _NO_TESTS.search(" ".join(words)) for words in commands)


def _starts_more(job: Job) -> bool:
    texts = [" ".join(command.words) for step in job.steps for command in step.commands]
    return any(_STARTS.search(text) for text in (*texts, *(step.uses for step in job.steps)))


def _of_job(workflow: Workflow, job: Job) -> Iterator[Evidence]:
    served = {port.partition("/")[0].partition(":")[0] for service in job.services for port in service.ports}
    told: set[str] = set()
    for pair in (*workflow.env, *job.env, *(pair for step in job.steps for pair in step.env)):
        if match := _ADDRESS.match(pair.value):
            name, usual, image = _KINDS[match["scheme"]]
            port = match["port"] or usual
            if port not in served and port not in told:
                told.add(port)
                yield _evidence(job, pair, name, port, image)


def _evidence(job: Job, pair: Pair, name: str, port: str, image: str) -> Evidence:
    others = listed(service.name for service in job.services)
    return Evidence(
        f"The job {job.id} gives its tests {pair.name}, an address of {name} at port {port} of the runner, and starts "
        f"{others} alone: what needs {name} fails or isn't tested, unless the tests replace it.",
        pair.location,
        subject=f"{job.id}/{pair.name}",
        related=tuple(Related(service.location, f"{service.name} is started") for service in job.services[:4]),
        recommendation=f"Start {name} as a service of the job {job.id}, or leave {pair.name} out.",
        example=workflow_lines.of_job(
            job.workflow, job.id, f'services:\n  {image}:\n    image: {image}:<version>\n    ports: ["{port}:{port}"]'
        ),
    )
