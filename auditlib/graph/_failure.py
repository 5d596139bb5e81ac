"""What a failure takes along.

A failure travels against the edges: from what is needed to who needs it. It stays hard as long as every link is one
without which the dependent can't start or work: a required dependency that is waited for until it is healthy, an
address of a database or broker, the network of another container, a mounted volume, an image. A `depends_on` that waits
for the start alone is an order, not a need, unless the service also holds an address of the other that is for more than
telemetry or mail.

Along the edges goes one kind of harm alone: to what a proxy passes requests to. It runs, but whoever is outside gets to
it no more, if it publishes no port and no other proxy leads to it (`_entrances`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditlib.graph._answers import Breakage, Link, SinglePoint
from auditlib.graph._components import components
from auditlib.graph._entrances import Entrances

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

_HARD = frozenset({"mounts", "joins", "builds", "needs", "queries", "alerts_on", "routes_to"})
_SOFT = frozenset({"scrapes", "forwards_to"})


def is_hard(verb: str, data: Mapping[str, Any], target_kind: str) -> bool | None:
    """Whether the source of an edge can't do without its target; None for an edge that no failure travels."""
    if verb in _HARD:
        return True
    if verb in _SOFT:
        return False
    if verb == "depends_on":
        needed = data["inferred"] or data.get("namespace") or data["condition"] != "service_started"
        return bool(data["required"] and needed)
    if verb == "runs":
        return {"image": True, "job": True, "script": True, "datasource": False}.get(target_kind)
    if verb == "reads_env":
        return bool(data.get("required", True))
    return None


def what_breaks(graph: DependencyGraph, node: str) -> list[Breakage]:
    """Everything that the failure of a node reaches, each by its shortest chain, a hard chain first."""
    paths = _reach(graph, {node: ()}, hard_only=True)
    hard = set(paths)
    shut = Entrances(graph).shut_by(paths)
    paths |= _reach(graph, paths, hard_only=False) | shut
    found = [
        Breakage(
            reached, graph.nodes[reached]["kind"], graph.nodes[reached]["name"], reached in hard, path, reached in shut
        )
        for reached, path in paths.items()
        if reached != node
    ]
    return sorted(
        found, key=lambda item: (not item.hard, not item.unreachable, len(item.path), item.kind != "service", item.node)
    )


def _reach(
    graph: DependencyGraph, known: dict[str, tuple[Link, ...]], *, hard_only: bool
) -> dict[str, tuple[Link, ...]]:
    """The nodes that a failure of the known ones reaches, with the chain to each, breadth first."""
    paths = dict(known)
    queue = deque(known)
    while queue:
        needed = queue.popleft()
        for dependent, link in _dependents(graph, needed, hard_only):
            if dependent not in paths:
                paths[dependent] = (*paths[needed], link)
                queue.append(dependent)
    return paths


def _dependents(graph: DependencyGraph, needed: str, hard_only: bool) -> Iterator[tuple[str, Link]]:
    kind = graph.nodes[needed]["kind"]
    for dependent, _, data in graph.links_to(needed):
        hard = is_hard(data["verb"], data, kind)
        if hard or (hard is False and not hard_only):
            yield dependent, Link(dependent, data["verb"], needed, data["location"])


def single_points(graph: DependencyGraph, kind: str, limit: int) -> list[SinglePoint]:
    """The nodes of a kind whose failure reaches services, by how many it reaches hard, then at all."""
    services = [node for node, data in graph.nodes.items() if data["kind"] == "service"]
    hard = _reached_services(graph, services, lambda verdict: verdict is True)
    any_way = _reached_services(graph, services, lambda verdict: verdict is not None)
    single = [node for node, data in graph.nodes.items() if data["kind"] == kind and (data.get("replicas") or 1) == 1]
    shut = _shut(graph, single, services, hard)
    candidates = [node for node in single if any_way.get(node, 0) or shut.get(node)]
    candidates.sort(key=lambda node: (*_weight(hard.get(node, 0), shut.get(node, ()), any_way.get(node, 0)), node))
    return [
        _single_point(graph, node, services, hard.get(node, 0), any_way.get(node, 0), shut.get(node, ()))
        for node in candidates[:limit]
    ]


def _weight(hard: int, shut: tuple[str, ...], any_way: int) -> tuple[int, int, int]:
    """By how much a failure takes along, the worst first."""
    return -hard.bit_count(), -len(shut), -any_way.bit_count()


def _shut(
    graph: DependencyGraph, nodes: list[str], services: list[str], hard: Mapping[str, int]
) -> dict[str, tuple[str, ...]]:
    """The services that can't be reached once a node has failed, with all that it takes along, if it takes a proxy."""
    entrances = Entrances(graph)
    proxies = sum(1 << position for position, service in enumerate(services) if service in entrances.proxies)
    taken = {node: hard.get(node, 0) for node in nodes if node in entrances.proxies or hard.get(node, 0) & proxies}
    return {node: tuple(sorted(entrances.shut_by((node, *_named(services, bits))))) for node, bits in taken.items()}


def reach(graph: DependencyGraph, kind: str) -> dict[str, int]:
    """The number of services that the failure of each node of a kind reaches."""
    services = [node for node, data in graph.nodes.items() if data["kind"] == "service"]
    found = _reached_services(graph, services, lambda verdict: verdict is not None)
    return {node: found.get(node, 0).bit_count() for node, data in graph.nodes.items() if data["kind"] == kind}


def _reached_services(
    graph: DependencyGraph, services: list[str], travels: Callable[[bool | None], bool]
) -> dict[str, int]:
    """For each node the set of services that its failure reaches, a bit each, so that all are found in one pass."""
    dependents: dict[str, set[str]] = {node: set() for node in graph.nodes}
    for dependent, needed, data in graph.links():
        if travels(is_hard(data["verb"], data, graph.nodes[needed]["kind"])):
            dependents[needed].add(dependent)
    bit = {service: 1 << position for position, service in enumerate(services)}
    reached: dict[str, int] = {}
    for group in components(dependents):
        below = {dependent for node in group for dependent in dependents[node]}
        bits = 0
        for node in (*group, *below):
            bits |= bit.get(node, 0) | reached.get(node, 0)
        reached |= dict.fromkeys(group, bits)
    return {node: bits & ~bit.get(node, 0) for node, bits in reached.items()}


def _single_point(
    graph: DependencyGraph, node: str, services: list[str], hard: int, any_way: int, shut: tuple[str, ...]
) -> SinglePoint:
    data = graph.nodes[node]
    soft = tuple(name for name in _named(services, any_way & ~hard) if name not in shut)
    return SinglePoint(node, data["kind"], data["name"], data["location"], _named(services, hard), soft, shut)


def _named(services: list[str], bits: int) -> tuple[str, ...]:
    return tuple(sorted(service for position, service in enumerate(services) if bits >> position & 1))
