"""The graph as a networkx graph, for whoever asks questions of their own. Only what needs it imports this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import networkx

from auditlib.graph._dependency_graph import DependencyGraph, Triple
from auditlib.graph._hosts import Hosts

if TYPE_CHECKING:
    _Base = networkx.MultiDiGraph[str]
else:
    _Base = networkx.MultiDiGraph


class NetworkxGraph(_Base, DependencyGraph):
    """A dependency graph with everything that networkx knows of graphs."""

    def __init__(self, incoming_graph_data: Any = None, **attributes: Any) -> None:
        super().__init__(incoming_graph_data, **attributes)
        self.hosts = Hosts()
        self.credentials = ()

    def for_networkx(self) -> NetworkxGraph:
        """This graph itself."""
        return self

    def links(self) -> Iterator[Triple]:
        """All edges, by source in the order of the files."""
        return iter(self.edges(data=True))

    def links_from(self, node: str) -> Iterator[Triple]:
        """The edges that leave a node, by target."""
        return iter(self.out_edges(node, data=True))

    def links_to(self, node: str) -> Iterator[Triple]:
        """The edges that arrive at a node, by source."""
        return iter(self.in_edges(node, data=True))
