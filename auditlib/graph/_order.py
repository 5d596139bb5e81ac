"""Start order and cycles: what must come before what. Everything here is linear in nodes and edges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import networkx

from auditlib.graph._answers import Cycle, Link
from auditlib.model import Location

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

    Order = networkx.DiGraph[str]


def layers(graph: DependencyGraph, project: str | None) -> list[list[str]]:
    """Services by the length of the longest chain of services that they wait for."""
    members = {node for node, data in graph.nodes(data=True) if data["kind"] == "service" and _of(data, project)}
    order = _order(graph, ("depends_on",), members)
    groups = networkx.condensation(order)
    depth: dict[int, int] = {}
    for group in reversed(list(networkx.topological_sort(groups))):
        depth[group] = max((depth[needed] + 1 for needed in groups.successors(group)), default=0)
    found: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for group, level in depth.items():
        found[level] += groups.nodes[group]["members"]
    return [sorted(layer) for layer in found]


def _of(data: dict[str, object], project: str | None) -> bool:
    return project is None or project in (data["project"], data.get("base"))


def waits_for(graph: DependencyGraph, node: str) -> set[str]:
    """Everything that a service reaches by declared dependencies."""
    found: set[str] = set()
    open_nodes = [node]
    while open_nodes:
        for _, needed, data in graph.out_edges(open_nodes.pop(), data=True):
            if data["verb"] == "depends_on" and not data["inferred"] and needed not in found:
                found.add(needed)
                open_nodes.append(needed)
    return found


def cycles(graph: DependencyGraph) -> list[Cycle]:
    """One circle for each group of nodes that wait for each other."""
    order = _order(graph, ("depends_on", "needs"))
    groups = [group for group in networkx.strongly_connected_components(order) if _is_circular(order, group)]
    return [_cycle(order, group) for group in sorted(groups, key=min)]


def _is_circular(order: Order, group: set[str]) -> bool:
    return len(group) > 1 or any(order.has_edge(node, node) for node in group)


def _order(graph: DependencyGraph, verbs: tuple[str, ...], members: Iterable[str] | None = None) -> Order:
    """The declared edges of these verbs as a simple graph; of parallel edges the first place counts."""
    order: Order = networkx.DiGraph()
    inside = set(members) if members is not None else None
    order.add_nodes_from(sorted(inside or ()))
    for verb in verbs:
        for edge in graph.edges_of(verb):
            both_inside = inside is None or (edge.source in inside and edge.target in inside)
            if both_inside and not edge.attributes.get("inferred") and not order.has_edge(edge.source, edge.target):
                order.add_edge(edge.source, edge.target, verb=edge.verb, location=edge.location)
    return order


def _cycle(order: Order, group: set[str]) -> Cycle:
    """The shortest circle through the first node of the group, by name, that is on one."""
    start = min(group)
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for needed in order.successors(node):
            if needed == start:
                return _closed(order, _path(came_from, start, node))
            if needed in group and needed not in came_from:
                came_from[needed] = node
                queue.append(needed)
    raise AssertionError("a strongly connected group has a circle through each of its nodes")


def _path(came_from: dict[str, str], start: str, end: str) -> list[str]:
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def _closed(order: Order, nodes: list[str]) -> Cycle:
    links = []
    for source, target in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        data = order.edges[source, target]
        location: Location = data["location"]
        links.append(Link(source, data["verb"], target, location))
    return Cycle(tuple(nodes), tuple(links))
