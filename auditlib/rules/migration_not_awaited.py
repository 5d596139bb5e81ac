"""A service starts beside the migration that it needs.

One service brings the schema up to date when it starts, and another one of the same image waits for the database alone.
On a new host, and after each update with a migration, the second finds tables or columns missing: a worker fails its
first tasks, or runs with the code of today on the schema of yesterday.

Anti-pattern:

    api:
      build: .
      command: sh -c "alembic upgrade head && uvicorn shop:app"
    worker:
      build: .
      command: celery -A shop worker
      depends_on:
        db: {condition: service_healthy}

Better:

    worker:
      build: .
      command: celery -A shop worker
      depends_on:
        db: {condition: service_healthy}
        api: {condition: service_healthy}

Recommendation:

    Let each service of the image wait until the one that migrates is healthy, or has completed where it ends.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, migrations, services, shared_env_files, starting, switches
from auditlib.conventions.starting import Start
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SWITCH = regex(r"^(?:\w+_)??(?:(?:RUN|APPLY|DO|AUTO|ENABLE|WITH)_)?(?:DB_)?(?:AUTO)?MIGRAT(?:E|IONS?)$")
_AGAINST = regex(r"SKIP|(?:^|_)NO_|DISABLE|WITHOUT")
_WATCHES = regex(r"\bflower\b|\brq-dashboard\b|\barq --watch\b")
"""What looks at the queue alone, though it is given the same variables."""
_RESTARTED = frozenset({"always", "unless-stopped", "on-failure"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each deployed project the services that don't wait for another one of their image that migrates."""
    deployed = {item.key for item in inventory.deployed_services}
    told: set[tuple[str, ...]] = set()
    for project in inventory.base_projects:
        mine = [item for item in inventory.services_of(project.name).values() if item.key in deployed]
        own = [item for item in mine if item.build or (item.project, item.image) in inventory.image_builders]
        if len(own) < 2 or project.for_swarm or environments.in_development_file(inventory, project.location.file):
            continue
        for migrator, start in _migrators(inventory, own):
            hasty = list(_hasty(inventory, migrator, own))
            key = (migrator.name, *(item.name for item in hasty))
            if hasty and key not in told:
                told.add(key)
                yield _evidence(migrator, start, hasty)


def _migrators(inventory: Inventory, own: list[Service]) -> Iterator[tuple[Service, Start]]:
    """The services that migrate, alone of their image: where several do, each has a database of its own."""
    found = [(item, start) for item in own if (start := _migrates(inventory, item))]
    images = [services.image_key(item) for item, _ in found]
    for item, start in found:
        aside = environments.in_development_file(inventory, start.location.file)
        if images.count(services.image_key(item)) == 1 and not aside:
            yield item, start


def _migrates(inventory: Inventory, service: Service) -> Start | None:
    """What brings the schema up to date when a service starts."""
    starts = starting.of(inventory, service)
    found = next((item for item in starts if migrations.applies(" ".join(item.words))), None)
    return None if found and found.followed and _is_switched_off(inventory, service, found) else found


def _is_switched_off(inventory: Inventory, service: Service, start: Start) -> bool:
    """Whether the script asks a variable that another service of the image has on, and this one off or not at all."""
    script = inventory.scripts_by_path[start.location.file]
    guarded = any(item.conditional and item.location == start.location for item in script.commands)
    names = [name for name in script.sets | script.tests if _SWITCH.search(name) and not _AGAINST.search(name)]
    if not guarded or len(names) != 1:
        return False
    mine = _given(service, names[0])
    if mine is not None:
        return mine.strip().lower() in ("false", "0", "no", "off")
    same = (item for item in inventory.services if services.image_key(item) == services.image_key(service))
    return any(switches.is_on(_given(item, names[0]) or "") for item in same)


def _given(service: Service, name: str) -> str | None:
    """The value of a variable of a service; None where it has none."""
    return next((item.value.text for item in service.environment if item.name == name and item.value), None)


def _hasty(inventory: Inventory, migrator: Service, own: list[Service]) -> Iterator[Service]:
    """The services of the same image and database that neither migrate nor wait for the one that does."""
    stores = set(_databases(inventory, migrator))
    for service in own:
        same = services.image_key(service) == services.image_key(migrator) and service.name != migrator.name
        if (
            not same
            or _WATCHES.search(" ".join(service.command))
            or service.profiles != migrator.profiles
            or services.is_one_shot(service)
        ):
            continue
        uses = bool(stores & set(_databases(inventory, service)))
        if uses and not _waits(inventory, service, migrator.name) and _migrates(inventory, service) is None:
            yield service


def _databases(inventory: Inventory, service: Service) -> Iterator[str]:
    """The databases of its project that a service is given or waits for."""
    mine = inventory.services_of(service.project)
    named = {end.host for entry in shared_env_files.taken(inventory, service) for end in entry.endpoints}
    for name in named | {item.service for item in service.dependencies}:
        found = services.product(inventory, mine[name]) if name in mine else None
        if found is not None and found.kind == "datastore":
            yield name


def _waits(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether a service depends on another one, itself or through others."""
    mine = inventory.services_of(service.project)
    waiting, seen = [service], set[str]()
    while waiting:
        for item in waiting.pop().dependencies:
            if item.service == name:
                return True
            if item.service in mine and item.service not in seen:
                seen.add(item.service)
                waiting.append(mine[item.service])
    return False


def _evidence(migrator: Service, start: Start, hasty: list[Service]) -> Evidence:
    first, *others = hasty
    names = listed(item.name for item in hasty)
    verb = "doesn't" if not others else "don't"
    ends = services.is_one_shot(migrator)
    condition = "service_completed_successfully" if ends else "service_healthy"
    again = all(item.restart in _RESTARTED for item in hasty)
    unchecked = not ends and migrator.healthcheck is None
    return Evidence(
        f"{migrator.name} migrates the database when it starts, and {names}, of the same image, {verb} wait for it: "
        f"after an update with a migration {'it meets' if not others else 'they meet'} the old schema at first.",
        first.location,
        subject=f"{migrator.project}/{migrator.name} not awaited",
        service=first.name,
        related=(
            Related(start.location, f"{migrator.name} migrates here"),
            *(Related(item.location, f"{item.name} doesn't wait either", member=True) for item in others),
        ),
        recommendation=f"Let {names} wait for {migrator.name} ({condition})"
        f"{', which needs a health check for that' if unchecked else ''}.",
        severity=Severity.LOW if again else None,
        example=compose_lines.waiting(first, migrator.name, condition),
    )
