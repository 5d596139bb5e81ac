"""Several containers apply the same migrations when they start.

At each deployment they start together, and two of them change the same table at once. Alembic, Django and TypeORM take
no lock: one of the two ends with an error, or both write the same row of versions, by chance and under load rather than
on a laptop.

Anti-pattern:

    # entrypoint.sh of an image that api and worker run
    alembic upgrade head
    exec "$@"

Better:

    migrate: {build: ., command: alembic upgrade head, restart: "no"}
    api: {build: ., depends_on: {migrate: {condition: service_completed_successfully}}}
    worker: {build: ., depends_on: {migrate: {condition: service_completed_successfully}}}

Recommendation:

    Apply migrations in a service of their own that ends, and let all that use the database wait for its end.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://alembic.sqlalchemy.org/en/latest/cookbook.html
- https://docs.djangoproject.com/en/stable/topics/migrations/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, migrations, services, stacks, starting
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_UNLOCKED = regex(
    r"\balembic\b|\bmanage\.py\b|\bflask\s+db\b|\bartisan\s+migrate(?!.*--isolated)|\btypeorm\b|\bsequelize\b"
)
"""Tools that take no lock before they change the schema."""
_DATABASE = regex(r"(?i)^(?:DATABASE|DB|POSTGRES|PG|MYSQL|SQLALCHEMY)")
_PARTS = regex(r"\s*(?:&&|;|\|\|)\s*")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each image the services, or the replicas of one, that apply the same migrations together."""
    groups: defaultdict[tuple[str, ...], list[Service]] = defaultdict(list)
    for service in inventory.deployed_services:
        lasting = not services.is_one_shot(service) and not environments.is_for_developers(inventory, service)
        if lasting and services.product(inventory, service) is None:
            groups[service.project, *services.image_key(service)].append(service)
    for mine in groups.values():
        found = [(item, start) for item in mine if (start := _migrates(inventory, item))]
        same = _alike(inventory, found)
        several = len(same) > 1 or any((item.replicas or 1) > 1 for item, _ in same)
        if several and _UNLOCKED.search(_command(same[0][1])):
            yield _at_once(same)


def _alike(inventory: Inventory, found: list[tuple[Service, Start]]) -> list[tuple[Service, Start]]:
    """Those that apply the same migrations as the first one, to the same database, and don't wait for another."""
    if not found:
        return []
    first, start = found[0]
    same = [pair for pair in found if _command(pair[1]) == _command(start) and _database(pair[0]) == _database(first)]
    return [
        pair for pair in same if not any(_waits(inventory, pair[0], other) for other, _ in same if other != pair[0])
    ]


def _database(service: Service) -> set[tuple[str, str]]:
    """What the environment of a service says of its database."""
    entries = ((entry.name, entry.value.text) for entry in service.environment if entry.value)
    return {(name, text) for name, text in entries if _DATABASE.search(name)}


def _migrates(inventory: Inventory, service: Service) -> Start | None:
    """Where the start of a service applies migrations, whatever it is told."""
    found = [_applying(inventory, item) for item in stacks.in_operation(inventory, service)]
    return found[0] if found and all(found) else None


def _applying(inventory: Inventory, service: Service) -> Start | None:
    starts = starting.of(inventory, service)
    return next((item for item in starts if _command(item) and not _is_conditional(inventory, item)), None)


def _command(start: Start) -> str:
    """The part of the words that applies migrations."""
    text = " ".join(start.words)
    parts = (_PARTS.split(text)) if len(text) < 2_000 else []
    return next((part for part in parts if migrations.applies(part) and "docker" not in part), "")


def _is_conditional(inventory: Inventory, start: Start) -> bool:
    script = inventory.scripts_by_path.get(start.location.file) if start.followed else None
    commands = script.commands if script else ()
    return any((item.conditional or item.function) and item.location == start.location for item in commands)


def _waits(inventory: Inventory, service: Service, other: Service) -> bool:
    """Whether a service waits for another one, or for one that does."""
    known = inventory.services_of(service.project)
    seen, waiting = {service.name}, [service.name]
    while waiting:
        item = known.get(waiting.pop())
        new = {each.service for each in item.dependencies} - seen if item else set()
        seen |= new
        waiting += new
    return other.name in seen


def _tool(start: Start) -> str:
    words = _command(start).removeprefix("sh -c ").removeprefix("exec ").strip("\"'")
    return words if len(words) < 80 else "the migrations"


def _migrate_service(service: Service, start: Start) -> str:
    """A service that does nothing else, and what the others wait for."""
    image = f"image: {service.image}" if service.image else f"build: {service.build.context if service.build else '.'}"
    return compose_lines.of_name("migrate", f'{image}\ncommand: {_tool(start)}\nrestart: "no"') + (
        f"\n{service.name}:\n  depends_on:\n    migrate: {{condition: service_completed_successfully}}"
    )


def _at_once(found: list[tuple[Service, Start]]) -> Evidence:
    (service, start), *rest = found
    names = listed(item.name for item, _ in found)
    who = f"{names} each run" if rest else f"Each of the {service.replicas} replicas of {service.name} runs"
    return Evidence(
        f"{who} `{_tool(start)}` when {'they start' if rest else 'it starts'}: together they change the same tables at "
        "once, which no lock prevents, and one of them ends with an error.",
        start.location,
        subject=f"{service.project}/{service.name}/migrations",
        service=service.name,
        related=tuple(
            Related(other.location if other.location != start.location else item.location, f"{item.name} does so too",
                    member=True)
            for item, other in rest
        ),
        recommendation="Apply the migrations in one service that ends, and let the others wait for it.",
        example=_migrate_service(service, start),
    )  # fmt: skip
