"""The graph as a networkx graph, for whoever asks questions of their own. Only what needs it imports this module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import networkx

from auditlib.graph._credentials import Trace
from auditlib.graph._dependency_graph import DependencyGraph, Triple
from auditlib.graph._hosts import Hosts

if TYPE_CHECKING:
    _Base = networkx.MultiDiGraph[str]
else:
    _Base = networkx.MultiDiGraph


class NetworkxGraph(_Base, DependencyGraph):
    """A dependency graph with everything that networkx knows of graphs."""

    @property  # an attribute of the graph in networkx' sense, which copies and subgraphs take along
    def hosts(self) -> Hosts:  # type: ignore[override]
        """Which service a host name leads to: `graph.hosts.resolve("redis", project)`."""
        found: Hosts = self.graph.setdefault("hosts", Hosts())
        return found

    @property
    def credentials(self) -> tuple[Trace, ...]:  # type: ignore[override]
        """Every sighting of a credential."""
        found: tuple[Trace, ...] = self.graph.get("credentials", ())
        return found

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
