"""Start order and cycles: what must come before what. Everything here is linear in nodes and edges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditlib.graph._answers import Cycle, Edge, Link
from auditlib.graph._components import components

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

_Order = dict[str, dict[str, Edge]]
"""By the node that waits, then by the one that it waits for: the edge that says so."""


def layers(graph: DependencyGraph, project: str | None) -> list[list[str]]:
    """Services by the length of the longest chain of services that they wait for."""
    members = {node for node, data in graph.nodes.items() if data["kind"] == "service" and _of(data, project)}
    order = _order(graph, ("depends_on",), members)
    depth: dict[str, int] = {}
    for group in components(order):
        needed = {other for node in group for other in order[node]}.difference(group)
        depth |= dict.fromkeys(group, max((depth[other] + 1 for other in needed), default=0))
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node, level in depth.items():
        found[level].append(node)
    return [sorted(layer) for layer in found]


def _of(data: dict[str, object], project: str | None) -> bool:
    return project is None or project in (data["project"], data.get("base"))


def waits_for(graph: DependencyGraph, node: str) -> set[str]:
    """Everything that a service reaches by declared dependencies."""
    found: set[str] = set()
    open_nodes = [node]
    while open_nodes:
        for _, needed, data in graph.links_from(open_nodes.pop()):
            if data["verb"] == "depends_on" and not data["inferred"] and needed not in found:
                found.add(needed)
                open_nodes.append(needed)
    return found


def cycles(graph: DependencyGraph) -> list[Cycle]:
    """One circle for each group of nodes that wait for each other, and what makes others of the same group."""
    order = _order(graph, ("depends_on", "needs"))
    groups = [group for group in components(order) if len(group) > 1 or group[0] in order[group[0]]]
    return [_cycle(order, set(group)) for group in sorted(groups, key=min)]


def circles_with(graph: DependencyGraph, waits: Iterable[tuple[str, str]]) -> dict[str, int]:
    """A number for each service, the same for those that would wait for each other if these waits were declared too."""
    order = {node: set(needed) for node, needed in _order(graph, ("depends_on",)).items()}
    for node, needed in waits:
        order[node].add(needed)
    return {node: number for number, group in enumerate(components(order)) for node in group}


def _order(graph: DependencyGraph, verbs: tuple[str, ...], members: Iterable[str] | None = None) -> _Order:
    """The declared edges of these verbs between these nodes, or all; of parallel edges the first place counts."""
    order: _Order = {node: {} for node in (graph.nodes if members is None else members)}
    for verb in verbs:
        for edge in graph.edges_of(verb):
            if edge.source in order and edge.target in order and not edge.attributes.get("inferred"):
                order[edge.source].setdefault(edge.target, edge)
    return order


def _cycle(order: _Order, group: set[str]) -> Cycle:
    """The shortest circle through the first node of the group, by name, that is on one."""
    start = min(group)
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for needed in order[node]:
            if needed == start:
                return _closed(order, _path(came_from, start, node), group)
            if needed in group and needed not in came_from:
                came_from[needed] = node
                queue.append(needed)
    raise AssertionError("a strongly connected group has a circle through each of its nodes")


def _path(came_from: dict[str, str], start: str, end: str) -> list[str]:
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _closed(order: _Order, nodes: list[str], group: set[str]) -> Cycle:
    pairs = dict(zip(nodes, [*nodes[1:], nodes[0]], strict=True))
    rest = [(one, other) for one in sorted(group) for other in order[one] if other in group]
    links = (_link(order[one][other]) for one, other in pairs.items())
    further = (_link(order[one][other]) for one, other in rest if pairs.get(one) != other)
    return Cycle(tuple(nodes), tuple(links), tuple(further))


def _link(edge: Edge) -> Link:
    return Link(edge.source, edge.verb, edge.target, edge.location)
