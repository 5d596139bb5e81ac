"""A service is given the address of another one that its `depends_on` doesn't name.

Compose starts services that don't depend on each other side by side, and leaves out what a partial start
(`docker compose up api`) doesn't name. A service that connects to one that it doesn't declare starts before it, or
without it.

Anti-pattern:

    api:
      environment:
        DATABASE_URL: postgresql://db:5432/app
    db:
      image: postgres:16

Better:

    api:
      environment:
        DATABASE_URL: postgresql://db:5432/app
      depends_on:
        db:
          condition: service_healthy

Swarm knows no order: nothing is said of what `docker stack deploy` starts.

Recommendation:

    Name every service that is connected to in `depends_on`, with `condition: service_healthy` where it has a health
    check. Where two services connect to each other, no order helps: have them repeat a connection that fails.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import baked_files, environments, healthchecks, programs, services, stacks
from auditlib.conventions.images import Product
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OPTIONAL = frozenset({"mail", "tracing", "logs", "metrics", "exporter", "tool", "dashboards", "alerting"})
"""Kinds without which a service starts and works."""

_HOOK = regex(r"HOOK|CALLBACK|REDIRECT", re.I)


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every connection between two services of a project that neither of them, nor a chain of others, declares."""
    wanted = list(_wanted(inventory, graph))
    circle = graph.circles_with((item.source, item.target) for item in wanted)
    circles: defaultdict[int, list[_Wanted]] = defaultdict(list)
    for item in wanted:
        if circle[item.source] == circle[item.target]:
            circles[circle[item.source]].append(item)
        else:
            yield _evidence(inventory, item.service, item.needed, item.places)
    for group in circles.values():
        yield _of_circle(group)


class _Wanted(Struct, frozen=True):
    """A connection between two services that nothing declares."""

    source: str
    target: str
    service: Service
    needed: Service
    places: list[Location]


def _wanted(inventory: Inventory, graph: DependencyGraph) -> Iterator[_Wanted]:
    by_node = {graph.service(item.project, item.name): item for item in inventory.distinct_services}
    places: defaultdict[tuple[str, str], list[Location]] = defaultdict(list)
    spare = {(edge.source, edge.target) for edge in graph.undeclared() if edge.attributes["spare"]}
    for edge in graph.undeclared():
        if not edge.attributes["shared"]:
            places[edge.source, edge.target].append(edge.location)
    for source, target, place in _configured(inventory, graph):
        places[source, target].append(place)
    idle = _unread(inventory) | _called_back(inventory) if places else set()
    for (source, target), found in places.items():
        locations = [place for place in found if place not in idle]
        service, needed = by_node.get(source), by_node.get(target)
        if not locations or not service or not needed or stacks.in_swarm(inventory, service):
            continue
        if not _matters(inventory, service, needed):
            continue
        if (source, target) in spare and _has_another(inventory, service, needed):
            continue
        if not _waits(graph, source, target) and not _waits(graph, target, source):
            yield _Wanted(source, target, service, needed, locations)


def _has_another(inventory: Inventory, service: Service, needed: Service) -> bool:
    """Whether a service waits for another member of a cluster that it is given a list of, or is one itself."""
    mine = inventory.services_of(service.project)
    others = (mine[item.service] for item in service.dependencies if item.service in mine)
    return any(item.image == needed.image for item in (service, *others))


def _configured(inventory: Inventory, graph: DependencyGraph) -> Iterator[tuple[str, str, Location]]:
    """The connections that configuration files name which a service mounts, or its image copies."""
    for service in inventory.distinct_services:
        mine = inventory.services_of(service.project) if service.dependencies else {}
        source = graph.service(service.project, service.name)
        for item in baked_files.addresses(inventory, service) if mine else ():
            target = graph.service(service.project, item.end.host) if item.end.host in mine else None
            if source and target and not item.late:
                yield source, target, item.location


def _waits(graph: DependencyGraph, node: str, other: str) -> bool:
    return any(item.id == other for item in graph.waits_for(node))


def _unread(inventory: Inventory) -> set[Location]:
    """Where services are given variables that nothing of their code names: no connection comes of those."""
    return {entry.location for program in programs.programs(inventory) for entry in programs.unread(program)}


def _called_back(inventory: Inventory) -> set[Location]:
    """Where services are told whom to call when something happens: long after both have started."""
    entries = (entry for service in inventory.distinct_services for entry in service.environment)
    return {entry.location for entry in entries if _HOOK.search(entry.name)}


def _matters(inventory: Inventory, service: Service, needed: Service) -> bool:
    """Whether the service can't do without the other, as far as products and profiles tell."""
    mine, theirs = services.product(inventory, service), services.product(inventory, needed)
    gated = bool(needed.profiles) and not set(needed.profiles) & set(service.profiles)
    watches = mine is not None and mine.kind in services.OBSERVABILITY | services.AUXILIARY - {"test"}
    optional = theirs is not None and (theirs.kind in _OPTIONAL or _is_engine(needed, theirs))
    return service.name != needed.name and not (gated or watches or optional)


def _is_engine(needed: Service, product: Product) -> bool:
    """Whether it is what others hand work to, such as Airflow; workers of Temporal stop without it."""
    return product.kind == "automation" and "temporal" not in f"{needed.name} {needed.image}"


def _source(inventory: Inventory, place: Location) -> str:
    """How a service comes by an address: Compose gives it, or its code has one of its own."""
    if any(item.location == place for item in inventory.config_addresses):
        return f"is given, in {place.file},"
    of_code = {item.location.file for item in inventory.settings}
    return f"takes by default, in {place.file}," if place.file in of_code else "is given"


def _evidence(inventory: Inventory, service: Service, needed: Service, places: list[Location]) -> Evidence:
    found = services.product(inventory, needed)
    is_store = found is not None and found.kind in services.DATASTORES
    condition = "service_healthy" if healthchecks.of(inventory, needed) else "service_started"
    return Evidence(
        f"{service.name} {_source(inventory, places[0])} the address of {needed.name}, but its `depends_on` doesn't "
        f"name {needed.name}: "
        f"Compose may start {service.name} first, or without it.",
        places[0],
        subject=f"{service.name}/{needed.name}",
        service=service.name,
        related=(
            *(Related(place, f"{service.name} is given the address of {needed.name} here too") for place in places[1:]),
            Related(needed.location, f"{needed.name} is defined here"),
        ),
        recommendation=f"Add `{needed.name}: {{condition: {condition}}}` to the `depends_on` of {service.name}.",
        severity=Severity.LOW if _is_mild(service) else None,
        confidence=None if is_store else Confidence.MEDIUM,
        example=compose_lines.waiting(service, needed.name, condition),
    )


def _is_mild(service: Service) -> bool:
    """Whether somebody sees the failure at once, or Docker tries again."""
    return environments.only_for_development(service) or _is_restarted(service) or services.is_on_demand(service)


def _is_restarted(service: Service) -> bool:
    """Whether Docker starts a service again that ended for want of the other."""
    return service.restart.partition(":")[0] in ("always", "unless-stopped", "on-failure")


def _of_circle(group: list[_Wanted]) -> Evidence:
    """Services that can't all wait for each other, since Compose refuses a circle: no wait is advised to them."""
    first, *others = group
    names = sorted({service.name for item in group for service in (item.service, item.needed)})
    steps = listed(f"{item.service.name} → {item.needed.name}" for item in group)
    restart = first.service.restart if first.service.restart not in ("", "no") else "on-failure"
    way = f" in a circle ({steps})" if len(names) > 2 else ""
    return Evidence(
        f"{listed(names)} are given each other's address{way}: whichever starts first finds the other missing, and "
        "Compose refuses a `depends_on` that leads back.",
        first.places[0],
        subject="/".join(names),
        service=first.service.name,
        related=tuple(
            Related(item.places[0], f"{item.service.name} is given the address of {item.needed.name}", member=True)
            for item in others
        ),
        recommendation=f"Have {listed(names)} repeat a connection that fails instead of ending; no `depends_on` can "
        "order them.",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(first.service, f"restart: {restart}  # until {first.needed.name} answers"),
    )
