"""A service waits only until its dependency has started, though the dependency has a health check.

`depends_on` without a condition, or with `service_started`, is satisfied as soon as the container's process exists. A
database or an API needs seconds more before it answers; a service that starts in between fails, or runs with errors
that look like something else. The health check that would tell is there and goes unused. Likewise a migration has
begun then, and not ended.

Anti-pattern:

    worker:
      depends_on:
        db:
          condition: service_started

Better:

    worker:
      depends_on:
        db:
          condition: service_healthy

Recommendation:

    Set `condition: service_healthy` for every dependency that has a health check.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import data_folders, environments, healthchecks, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Dependency, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_COMES_BACK = regex(r"\b(?:while|until)\b[^\n]{1,200}\bsleep\b")
"""A loop that does its work again and again, as one that renews certificates."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every checked service that others only wait for as started: one finding for all that do."""
    targets: dict[str, Service] = {}
    waiting: defaultdict[str, list[tuple[Service, Dependency]]] = defaultdict(list)
    for service in inventory.distinct_services:
        for dependency in service.dependencies:
            target = inventory.services_of(service.project).get(dependency.service)
            started = dependency.condition == "service_started" and not dependency.implicit
            retries = target and (
                _tries_again(inventory, service, target) or _is_meant(inventory, service, dependency, target)
            )
            explained = dependency.says_condition and dependency.explained
            waits = retries or explained or (target and _waits_by_others(inventory, service, target))
            probe = healthchecks.of(inventory, target) if target and started and not waits else None
            if target and probe and not _is_of_another_file(dependency, target, probe):
                targets[target.key] = target
                waiting[target.key].append((service, dependency))
    for key, pairs in waiting.items():
        first = pairs[0][0]
        also = [targets[other].name for other, each in waiting.items() if any(item is first for item, _ in each)]
        yield _evidence(inventory, targets[key], pairs, also)
    yield from _unfinished(inventory)


def _is_of_another_file(dependency: Dependency, target: Service, probe: Location) -> bool:
    """Whether a file that says itself what the target runs has no health check for it, as it may be started alone: then
    Compose refuses to wait for one.
    """
    own = dependency.location.file
    return own == target.image_location.file and target.build is None and probe.file != own


def _waits_by_others(inventory: Inventory, service: Service, target: Service) -> bool:
    """Whether a service starts after another one that waits until the target is healthy, so that it does, too."""
    known = inventory.services_of(service.project)
    first = [item.service for item in service.dependencies if item.service != target.name and item.required]
    ahead, seen = first, {service.name, target.name}
    while ahead:
        name = ahead.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        for item in known[name].dependencies:
            if item.service == target.name and item.condition == "service_healthy" and item.required:
                return True
            ahead += [item.service] if item.required else []
    return False


def _unfinished(inventory: Inventory) -> Iterator[Evidence]:
    """Every task with an end, such as a migration, whose end others don't wait for."""
    waiting: defaultdict[str, list[tuple[Service, Dependency]]] = defaultdict(list)
    for service in inventory.distinct_services:
        for dependency in service.dependencies:
            target = inventory.services_of(service.project).get(dependency.service)
            started = dependency.condition == "service_started" and not dependency.implicit
            if target and started and services.is_one_shot(target) and not services.is_one_shot(service):
                waiting[target.key].append((service, dependency))
    for pairs in waiting.values():
        (first, place), *others = pairs
        name = place.service
        aside = all(environments.only_for_development(service) for service, _ in pairs)
        yield Evidence(
            f"{listed(service.name for service, _ in pairs)} {'starts' if not others else 'start'} as soon as {name}'s "
            "container exists, not when it has done its work.",
            place.location,
            subject=f"{name}/unfinished",
            service=first.name,
            related=tuple(
                Related(item.location, f"{service.name} waits for {name} as started only") for service, item in others
            ),
            recommendation=f"Set `condition: service_completed_successfully` for {name}.",
            change=_change(place, "service_completed_successfully"),
            example=compose_lines.waiting(first, name, "service_completed_successfully"),
            severity=Severity.LOW if aside else None,
            confidence=Confidence.MEDIUM,
        )


def _change(dependency: Dependency, condition: str) -> tuple[str, str]:
    return ("service_started", condition) if dependency.says_condition else ("", "")


def _tries_again(inventory: Inventory, service: Service, target: Service) -> bool:
    """Whether a service connects when it is asked, as proxies and tools for people do, or again and again, as
    monitoring does.
    """
    found, asked = services.product(inventory, service), services.product(inventory, target)
    if found is None:
        base = data_folders.product(services.built_from(inventory, service)[0])
        return base is not None and base.kind == "proxy" and not service.command
    keeps = asked is not None and asked.kind in services.DATASTORES
    asks_later = services.AUXILIARY - {"test"} | {"proxy"}
    keeps = keeps and not (found.name == "Grafana" and _only_asks(inventory, service))
    return found.kind in asks_later or (found.kind in services.OBSERVABILITY and not keeps)


def _only_asks(inventory: Inventory, service: Service) -> bool:
    """Whether a Grafana keeps its own data in a file, as it does unless told otherwise, so that a database is only a
    source of its panels.
    """
    told = any(item.name.startswith("GF_DATABASE_") for item in service.environment)
    configured = any(mount.target.startswith("/etc/grafana") and mount.target.endswith(("grafana", ".ini"))
                     for mount in service.mounts)  # fmt: skip
    return not (told or configured or services.lacks_env_file(inventory, service))


def _is_meant(inventory: Inventory, service: Service, dependency: Dependency, target: Service) -> bool:
    """Whether a service is to run beside an application in whatever state: it says so where it demands more of others,
    or it mends containers by Docker's socket, or works in a loop.
    """
    if services.is_datastore(inventory, target):
        return False
    if _COMES_BACK.search(" ".join((*service.entrypoint, *service.command))):
        return True
    chosen = any(item.condition == "service_healthy" for item in service.dependencies if item is not dependency)
    return chosen or any(mount.target.endswith("/docker.sock") for mount in service.mounts)


def _evidence(
    inventory: Inventory, target: Service, pairs: list[tuple[Service, Dependency]], also: list[str]
) -> Evidence:
    first, *others = pairs
    one = len({service.name for service, _ in pairs}) == 1
    names = listed(service.name for service, _ in pairs)
    probe = healthchecks.of(inventory, target)
    related = [
        Related(item.location, f"{service.name} waits for {target.name} as started only", member=True)
        for service, item in others
    ]
    if probe:
        related.append(Related(probe, f"{target.name}'s health check"))
    retried = all(service.restart in ("always", "unless-stopped", "on-failure") for service, _ in pairs)
    aside = all(environments.only_for_development(service) for service, _ in pairs)
    sure = services.is_datastore(inventory, target)
    unless = "" if sure else f", where {'it needs' if one else 'they need'} it from the start"
    return Evidence(
        f"{names} {'starts' if one else 'start'} as soon as {target.name}'s container exists, not when "
        f"its health check passes.",
        first[1].location,
        subject=target.name,
        service=first[0].name,
        related=tuple(related),
        recommendation=f"Set `condition: service_healthy` for {target.name} in the `depends_on` of {names}{unless}.",
        confidence=None if sure else Confidence.MEDIUM,
        severity=Severity.LOW if retried or aside else None,
        change=_change(first[1], "service_healthy"),
        example=compose_lines.waiting(first[0], target.name, "service_healthy", also),
    )
