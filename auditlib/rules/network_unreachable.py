"""Two services that talk to each other share no network.

A container resolves and reaches only services of its own networks. Where two share none, the name doesn't resolve, as
if the other service weren't there. Looked at are values and commands of services, what Prometheus scrapes, whom a proxy
passes requests to, where alerts go and what Grafana's data sources ask. An address in a block that several services
share counts only where none of them meets the other one, as it may be there for those that do. A container with
`network_mode: bridge` or `none` is in none of the project's networks.

Anti-pattern:

    api:
      networks: [front]
      environment: { REDIS_URL: redis://cache:6379 }
    cache:
      networks: [back]

Better:

    api:
      networks: [front, back]
      environment: { REDIS_URL: redis://cache:6379 }
    cache:
      networks: [back]

Recommendation:

    Let both services join the network that is meant for them.

References:

- https://docs.docker.com/compose/how-tos/networking/
- https://docs.docker.com/reference/compose-file/services/#networks
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from auditlib import scraping
from auditlib.conventions import monitoring, networks, proxies, services
from auditlib.graph import DependencyGraph, Edge
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Attachment, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMELESS = frozenset({"bridge", "none"})
"""Modes of a container in no network of the project: Docker's own bridge knows nobody's name, unless by `links`."""
_WEB = frozenset({"", "http", "https", "ws", "wss"})
"""Schemes of addresses that a service may hold for others; that it connects itself is likely, not certain."""
_OF_SOCKETS = regex(r"(?:^|/)run(?:/|$)|sock", re.I)
"""Where a data store keeps the socket that others reach it by without a network."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every connection that a value or command names between services without a common network."""
    known = {graph.service(item.project, item.name): item for item in inventory.distinct_services}
    edges = [edge for edge in graph.edges_of("depends_on") if edge.attributes["inferred"]]
    met = {
        (edge.location, edge.target)
        for edge in edges
        if (one := known.get(edge.source)) and (other := known.get(edge.target)) and not _are_apart(one, other)
    }
    seen: set[tuple[str, str]] = set()
    for edge in edges:
        one, other = known.get(edge.source), known.get(edge.target)
        pair = (edge.source, edge.target)
        passed = pair in seen or (edge.attributes["shared"] and (edge.location, edge.target) in met)
        if one and other and not passed and _are_apart(one, other) and not _meets_namesake(inventory, one, other):
            seen.add(pair)
            yield _evidence(edge, one, other)
    told = {(known[source].key, known[target].key) for source, target in seen}
    for one, other, place in _waits(inventory):
        if (one.key, other.key) not in told:
            told.add((one.key, other.key))
            yield _told(place, one, other, f"waits for {other.name} to use it", Confidence.MEDIUM)
    yield from _scrapes(inventory, graph)
    yield from _upstreams(inventory, graph)
    yield from _led(inventory, graph)


def _waits(inventory: Inventory) -> Iterator[tuple[Service, Service, Location]]:
    """Every service that waits for a data store which it can't reach in any form that an overlay gives the two."""
    for one in inventory.distinct_services:
        for item in one.dependencies:
            other = inventory.services_of(one.project).get(item.service)
            found = services.product(inventory, other) if other else None
            if other is None or found is None or found.kind not in services.DATASTORES:
                continue
            if services.product(inventory, one):  # a program of others may need it for something else
                continue
            met = {each.network for version in inventory.versions(one) for each in version.networks}
            near = any(each.network in met for version in inventory.versions(other) for each in version.networks)
            if not (near or item.implicit or _share_socket(one, other)) and _are_apart(one, other):
                yield one, other, item.location


def _share_socket(one: Service, other: Service) -> bool:
    """Whether two services mount the same folder for sockets."""
    mine = {mount.source for mount in one.mounts}
    return any(mount.source in mine and _OF_SOCKETS.search(mount.target) for mount in other.mounts if mount.source)


def _scrapes(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that a Prometheus of the same project collects metrics of and shares no network with."""
    seen: set[tuple[str, str]] = set()
    for job in inventory.scrape_jobs:
        for target in (job.proxy,) if job.proxy else job.targets:
            other = scraping.service_at(inventory, graph, job, target)
            for one in monitoring.runners(inventory, job.file) if other else ():
                if other and (one.key, other.key) not in seen and _are_apart(one, other):
                    seen.add((one.key, other.key))
                    yield _told(target.location, one, other, f"collects the metrics of {other.name}", None)


def _upstreams(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that a proxy of the same project passes requests to and shares no network with."""
    seen: set[tuple[str, str]] = set()
    for proxy in inventory.reverse_proxies:
        groups = {item.group for item in proxy.upstreams}
        runners = proxies.runners(inventory, proxy)
        for one, item in itertools.product(runners, proxy.upstreams):
            if not item.group and item.host in groups:
                continue
            other = _upstream(inventory, graph, one, item.host, item.port)
            if other and (one.key, other.key) not in seen:
                seen.add((one.key, other.key))
                yield _told(item.location, one, other, f"passes requests to {other.name}", None)


def _led(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that a file of the monitoring sends its reader to, and that shares no network with it."""
    seen: set[tuple[str, str]] = set()
    for file, address, act, place in _addresses(inventory):
        for one in monitoring.runners(inventory, file):
            host, _, port = address.partition(":")
            other = _upstream(inventory, graph, one, host, port)
            if other and (one.key, other.key) not in seen:
                seen.add((one.key, other.key))
                yield _told(place, one, other, act.format(other.name), None)


def _addresses(inventory: Inventory) -> Iterator[tuple[str, str, str, Location]]:
    """Where receivers and alerts go, and what data sources ask: the file, the address, what is done, and the place."""
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            yield receiver.file, item.host, "sends notifications to {}", item.host_location or item.location
    for config in inventory.prometheus:
        for target in config.alertmanagers:
            yield config.file, target.address, "sends alerts to {}", target.location
    for source in inventory.datasources:
        yield source.file, urlsplit(source.url).netloc.rpartition("@")[2], "asks {}", source.location


def _upstream(inventory: Inventory, graph: DependencyGraph, one: Service, host: str, port: str) -> Service | None:
    """The service of a name, if the one that asks meets neither it nor another one of that name anywhere."""
    other = scraping.service_named(inventory, graph, host, port, project=one.project)
    if other is None or not _are_apart(one, other):
        return None
    near = {each.network for version in inventory.versions(one) for each in version.networks}
    named = (each for service in inventory.services for each in service.networks if _answers(service, each, host))
    return None if any(each.network in near for each in named) else other


def _answers(service: Service, there: Attachment, host: str) -> bool:
    """Whether a service is known by a name in one of its networks."""
    return host in (service.name, service.container_name, service.hostname, *there.aliases)


def _are_apart(one: Service, other: Service) -> bool:
    if one.project != other.project:
        return False
    if one.network_mode or other.network_mode:
        linked = any(item.implicit and item.service == other.name for item in one.dependencies)
        modes = {one.network_mode, other.network_mode}
        return one.name != other.name and not linked and bool(_NAMELESS & modes) and modes <= {"", *_NAMELESS}
    mine, theirs = ({item.network for item in service.networks} for service in (one, other))
    return bool(mine and theirs) and not mine & theirs


def _meets_namesake(inventory: Inventory, one: Service, other: Service) -> bool:
    """Whether a service of another stack answers by the same name in a network that both know by its name."""
    named = (item for item in inventory.services if other.name in (item.name, item.container_name))
    foreign = (item for item in named if networks.home(inventory, item) != networks.home(inventory, one))
    return any(networks.may_meet(inventory, one, item) for item in foreign)


def _evidence(edge: Edge, one: Service, other: Service) -> Evidence:
    """A connection; of an address that several services take from one place nobody knows which of them asks there."""
    shared = edge.attributes["shared"]
    confidence = Confidence.MEDIUM if shared or edge.attributes["scheme"] in _WEB else None
    act = f"is given the address of {other.name}, as other services are" if shared else f"talks to {other.name}"
    return _told(edge.location, one, other, act, confidence, Severity.MEDIUM if shared else None)


def _told(
    place: Location,
    one: Service,
    other: Service,
    act: str,
    confidence: Confidence | None,
    severity: Severity | None = None,
) -> Evidence:
    mine = listed(item.network for item in one.networks)
    theirs = listed(item.network for item in other.networks)
    if alone := next((item for item in (one, other) if item.network_mode), None):
        return _of_mode(place, one, other, act, alone)
    return Evidence(
        f"{one.name} {act}, but the one is in the network {mine}, the other in {theirs}: the name doesn't resolve.",
        place,
        subject=f"{one.name}/{other.name}",
        service=one.name,
        related=tuple(
            Related(item.location, f"{service.name} joins {item.network}")
            for service in (one, other)
            for item in service.networks
        ),
        recommendation=f"Let {one.name} join {theirs}, or {other.name} join {mine}.",
        example=compose_lines.of_service(
            one, f"networks: [{', '.join([item.network for item in one.networks] + [other.networks[0].network])}]"
        ),
        confidence=confidence,
        severity=severity,
    )


def _of_mode(place: Location, one: Service, other: Service, act: str, alone: Service) -> Evidence:
    joined = [item.network for service in (one, other) for item in service.networks] or ["default"]
    return Evidence(
        f"{one.name} {act}, but {alone.name} has `network_mode: {alone.network_mode}`, where no service is known by "
        "its name.",
        place,
        subject=f"{one.name}/{other.name}",
        service=one.name,
        related=(Related(alone.location, f"{alone.name} is in no network of the project"),),
        recommendation=f"Remove `network_mode` from {alone.name}, so that it joins {listed(joined)}.",
        example=compose_lines.of_service(alone, f"networks: [{', '.join(joined)}]  # without network_mode"),
    )
