"""By which ways requests from outside get to services: published ports, and the proxies behind these."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from auditlib.conventions import environments
from auditlib.graph._answers import Edge, Link

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

_Path = tuple[Link, ...]


class Entrances:
    """The services that publish a port, and what proxies pass on from there.

    A port that a file for development publishes counts only if no other file publishes any.
    """

    def __init__(self, graph: DependencyGraph) -> None:
        self._passed: defaultdict[str, list[Edge]] = defaultdict(list)
        for edge in graph.edges_of("forwards_to"):
            self._passed[edge.source].append(edge)
        published = graph.edges_of("publishes") if self._passed else []
        lasting = [edge for edge in published if not environments.is_for_development(edge.location.file)]
        self._open = {edge.source for edge in lasting or published}
        self._reached = self._without(())

    @property
    def proxies(self) -> Collection[str]:
        """The nodes that pass requests on."""
        return self._passed.keys()

    def shut_by(self, down: Iterable[str] | Mapping[str, _Path]) -> dict[str, _Path]:
        """The services that can't be reached without these, which are down, each with the way that led there."""
        paths = dict(down) if isinstance(down, Mapping) else dict.fromkeys(down, ())
        shut = self._reached - self._without(paths) - paths.keys()
        found: dict[str, _Path] = {}
        queue = deque(paths)
        while queue:
            proxy = queue.popleft()
            for edge in self._passed.get(proxy, ()):
                if edge.target in shut and edge.target not in found:
                    link = Link(edge.target, "is_reached_through", proxy, edge.location)
                    found[edge.target] = (*(found.get(proxy) or paths.get(proxy, ())), link)
                    queue.append(edge.target)
        return found

    def _without(self, down: Collection[str]) -> set[str]:
        """What can be reached from outside while these are down."""
        found = {node for node in self._open if node not in down}
        queue = deque(found)
        while queue:
            for edge in self._passed.get(queue.popleft(), ()):
                if edge.target not in found and edge.target not in down:
                    found.add(edge.target)
                    queue.append(edge.target)
        return found
