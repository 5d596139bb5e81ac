"""The graph as dictionaries: all that the rules need, without the time that importing networkx takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditlib.graph._answers import Edge
from auditlib.graph._dependency_graph import DependencyGraph, Triple, edge
from auditlib.graph._hosts import Hosts

if TYPE_CHECKING:
    from auditlib.graph.networkx_graph import NetworkxGraph

_Neighbours = defaultdict[str, dict[str, list[dict[str, Any]]]]


class PlainGraph(DependencyGraph):
    """A dependency graph that grows; its nodes and edges come in the order that networkx would give them."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.hosts = Hosts()
        self.credentials = ()
        self.added: list[Triple] = []
        """The edges in the order in which they came."""
        self._by_verb: dict[str, list[Edge]] = {}
        self._targets: _Neighbours = defaultdict(dict)
        self._sources: _Neighbours = defaultdict(dict)

    def add_node(self, node: str, **data: Any) -> None:
        """Add a node."""
        self.nodes[node] = data

    def add_edge(self, source: str, target: str, **data: Any) -> None:
        """Add an edge between two nodes that are there."""
        self.added.append((source, target, data))
        self._by_verb.clear()
        self._targets[source].setdefault(target, []).append(data)
        self._sources[target].setdefault(source, []).append(data)

    def links(self) -> Iterator[Triple]:
        """All edges, by source in the order of the files."""
        return (link for node in self.nodes for link in self.links_from(node))

    def edges_of(self, verb: str) -> list[Edge]:
        """The edges of a verb, in the order of the files; remembered, as many rules ask, and no edge changes."""
        if not self._by_verb:
            for source, target, data in self.links():
                self._by_verb.setdefault(data["verb"], []).append(edge(source, target, data))
        return self._by_verb.get(verb, [])

    def links_from(self, node: str) -> Iterator[Triple]:
        """The edges that leave a node, by target."""
        return ((node, target, data) for target, found in self._targets.get(node, {}).items() for data in found)

    def links_to(self, node: str) -> Iterator[Triple]:
        """The edges that arrive at a node, by source."""
        return ((source, node, data) for source, found in self._sources.get(node, {}).items() for data in found)

    def number_of_edges(self) -> int:
        """How many edges there are."""
        return len(self.added)

    def for_networkx(self) -> NetworkxGraph:
        """The same graph as networkx has it."""
        from auditlib.graph.networkx_graph import NetworkxGraph

        graph = NetworkxGraph(hosts=self.hosts, credentials=self.credentials)
        graph.add_nodes_from(self.nodes.items())
        graph.add_edges_from(self.added)
        return graph
