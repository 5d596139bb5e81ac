"""What a dependency graph answers, whatever it keeps its nodes and edges in: a method for each question."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditlib.graph import _answer, _credentials, _failure, _isolation, _names, _order
from auditlib.graph._answer import Answer
from auditlib.graph._answers import Breakage, Cycle, Edge, Flow, Node, SinglePoint
from auditlib.graph._hosts import Hosts

if TYPE_CHECKING:
    from auditlib.graph.networkx_graph import NetworkxGraph

Triple = tuple[str, str, dict[str, Any]]
"""An edge: source, target and data."""


class DependencyGraph(ABC):
    """Who needs what in a repository, with a place for every statement; see the package for nodes and edges.

    The answer to a question is a list of records that shows itself as a table; its `table` is that as a dataframe.
    A parameter called `name` takes a node id (`service:api`), a bare name (`api`, a service first of all), a
    `project/name`, or a container's name. UsageError, with the nearest names, if there is none, or several.
    """

    nodes: Any
    """The nodes with their data, a mapping in the order of the files."""
    hosts: Hosts
    """Which service a host name leads to: `graph.hosts.resolve("redis", project)`."""
    credentials: tuple[_credentials.Trace, ...]

    @abstractmethod
    def links(self) -> Iterator[Triple]:
        """All edges, by source in the order of the files."""

    @abstractmethod
    def links_from(self, node: str) -> Iterator[Triple]:
        """The edges that leave a node, by target."""

    @abstractmethod
    def links_to(self, node: str) -> Iterator[Triple]:
        """The edges that arrive at a node, by source."""

    @abstractmethod
    def number_of_edges(self) -> int:
        """How many edges there are."""

    @abstractmethod
    def for_networkx(self) -> NetworkxGraph:
        """The same graph as networkx has it."""

    # -- what is there ----------------------------------------------------------------------------------------------

    def find(self, name: str, kind: str | None = None) -> str:
        """The id of the node of this name. Raises UsageError, with the nearest names, if there is none, or several."""
        return _names.find(self, name, kind)

    def node(self, name: str) -> Node:
        """The node of this name. Raises UsageError as `find` does."""
        return self._known(self.find(name))

    def of_kind(self, kind: str) -> Answer[Node]:
        """The nodes of a kind, in the order of the files."""
        found = [self._known(node) for node, data in self.nodes.items() if data["kind"] == kind]
        return Answer(found, _answer.NODES, f"There is no {kind}.")

    def edges_of(self, verb: str) -> list[Edge]:
        """The edges of a verb, in the order of the files."""
        return [edge(source, target, data) for source, target, data in self.links() if data["verb"] == verb]

    def edges_from(self, name: str, verb: str | None = None) -> list[Edge]:
        """The edges that leave a node, or those of them with this verb. Raises UsageError as `find` does."""
        edges = self.links_from(self.find(name))
        return [edge(source, target, data) for source, target, data in edges if verb in (None, data["verb"])]

    def edges_to(self, name: str, verb: str | None = None) -> list[Edge]:
        """The edges that arrive at a node, or those of them with this verb. Raises UsageError as `find` does."""
        edges = self.links_to(self.find(name))
        return [edge(source, target, data) for source, target, data in edges if verb in (None, data["verb"])]

    def service(self, project: str, name: str) -> str | None:
        """The node id of a service record (`graph.service(record.project, record.name)`); None if it has none."""
        return self.hosts.service(project, name)

    def resolve(self, host: str, port: str = "", near: str = "") -> str | None:
        """The node id of the service that a host name leads to, as the file `near` means it; None for no service."""
        return self.hosts.resolve(host, None, port, near)

    def declared(self, kind: str, owner: str, name: str) -> str | None:
        """The node id of what a project or file declares (`graph.declared("volume", record.project, record.name)`)."""
        ids = (f"{kind}:{name}", f"{kind}:{owner}/{name}")
        return next((node for node in ids if node in self.nodes), None)

    # -- questions --------------------------------------------------------------------------------------------------

    def start_order(self, project: str | None = None) -> Answer[list[str]]:
        """The services in layers: each waits, by `depends_on`, only for services of earlier layers.

        All projects together, or one with its overlays. Services that wait for each other share a layer.
        """
        return Answer(_order.layers(self, project), _answer.LAYERS, "There is no service.")

    def cycles(self) -> Answer[Cycle]:
        """The shortest circle of each group of services, or jobs, that wait for each other."""
        return Answer(_order.cycles(self), _answer.CYCLES, "Nothing waits for itself.")

    def waits_for(self, name: str) -> Answer[Node]:
        """All services that must have started before this one, by declared dependencies, however long the chain."""
        found = [self._known(node) for node in sorted(_order.waits_for(self, self.find(name)))]
        return Answer(found, _answer.NODES, f"{name} waits for nothing.")

    def circles_with(self, waits: Iterable[tuple[str, str]]) -> dict[str, int]:
        """A number for each node, the same for those that would wait for each other with these waits, of node ids."""
        return _order.circles_with(self, waits)

    def undeclared(self) -> Answer[Edge]:
        """The connections between services, seen in values and commands, that no `depends_on` declares."""
        edges = self.edges_of("depends_on")
        found = [item for item in edges if item.attributes["inferred"] and not item.attributes["declared"]]
        return Answer(found, _answer.EDGES, "Every connection between services is declared.")

    def what_breaks(self, name: str) -> Answer[Breakage]:
        """What suffers when a node dies, however long the chain: the hard ones first, then by the chain's length."""
        found = _failure.what_breaks(self, self.find(name))
        return Answer(found, _answer.BREAKAGES, f"Nothing depends on {name}.")

    def single_points(self, kind: str = "service", limit: int = 20) -> Answer[SinglePoint]:
        """The nodes of a kind that exist once and take services along when they die, the worst first."""
        found = _failure.single_points(self, kind, limit)
        return Answer(found, _answer.SINGLE_POINTS, f"No {kind} takes a service along.")

    def reach_of_failures(self, kind: str = "service") -> dict[str, int]:
        """How many services the failure of each node of a kind takes along, hard or soft, by node id."""
        return _failure.reach(self, kind)

    def credential_flow(self, variable: str | None = None) -> Answer[Flow]:
        """The way of every credential, or of one variable. Raises UsageError for a variable that is no known one."""
        return Answer(_credentials.flows(self, variable), _answer.FLOWS, "There is no credential.")

    def isolated(self, kind: str | None = None) -> Answer[Node]:
        """What reaches nothing and is reached by nothing, of a kind or of all.

        A service is isolated if no other one needs it, it needs no other, nothing scrapes or asks it, it loads no
        monitoring, and it publishes no port; anything else, if no edge but a document's mention touches it.
        """
        found = [self._known(node) for node in _isolation.isolated(self, kind)]
        return Answer(found, _answer.NODES, "Everything is connected to something.")

    def _known(self, node: str) -> Node:
        data = self.nodes[node]
        return Node(node, data["kind"], data["name"], data["location"])


def edge(source: str, target: str, data: Mapping[str, Any]) -> Edge:
    """The record of an edge."""
    attributes = {key: value for key, value in data.items() if key not in ("verb", "location")}
    return Edge(source, target, data["verb"], data["location"], attributes)
