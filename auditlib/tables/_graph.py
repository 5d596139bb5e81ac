"""What the tables ask of the graph, which is a room of the same floor and so is not imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from auditlib.model import Location


class Edge(Protocol):
    """An edge between two nodes."""

    @property
    def source(self) -> str:
        """The node that it leaves."""

    @property
    def target(self) -> str:
        """The node that it arrives at."""

    @property
    def location(self) -> Location:
        """The place that says so."""

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What its verb adds."""


class Graph(Protocol):
    """A dependency graph."""

    @property
    def nodes(self) -> Any:
        """The nodes with their data, as networkx has them."""

    def service(self, project: str, name: str) -> str | None:
        """The node of a service record."""

    def resolve(self, host: str, port: str = "", near: str = "") -> str | None:
        """The node of the service that a host name leads to, as the file `near` means it."""

    def declared(self, kind: str, owner: str, name: str) -> str | None:
        """The node of what a project or file declares."""

    def edges_of(self, verb: str) -> Sequence[Edge]:
        """The edges of a verb."""

    def start_order(self) -> list[list[str]]:
        """The services in layers."""

    def reach_of_failures(self) -> dict[str, int]:
        """How many services the failure of each service takes along."""
