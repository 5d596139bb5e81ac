"""Nodes and edges while the graph is being built: ids that are as short as they can be, every edge once."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from auditlib.graph._plain_graph import PlainGraph
from auditlib.inventory import Inventory
from auditlib.model import Location


class Builder:
    """Two passes: `declare` everything that belongs to a project or file, so that ids know of equal names; then add."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.graph = PlainGraph()
        self.base = {project.name: project.base for project in inventory.projects}
        """The base of each overlay; empty for a base."""
        self._owners: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._edges: set[tuple[str, str, str, Location]] = set()

    def declare(self, kind: str, owner: str, name: str) -> None:
        """Say that a project or file has a thing of this kind and name."""
        self._owners[kind, name][owner] = None

    def id(self, kind: str, owner: str, name: str) -> str | None:
        """The id of what `name` means in a project or file, or in the base of an overlay; None if it means nothing."""
        owners = self._owners.get((kind, name), {})
        if owner not in owners:
            owner = self.base.get(owner, "")
        if owner not in owners:
            return None
        return f"{kind}:{name}" if len(owners) == 1 else f"{kind}:{owner}/{name}"

    def scoped(self, kind: str, owner: str, name: str, location: Location | None, **attributes: Any) -> str:
        """Add what was declared as a node, unless it is there, and give its id."""
        node = self.id(kind, owner, name)
        if node is None:
            raise KeyError(f"{kind} {name!r} of {owner!r} was not declared")
        return self._add(node, kind, name, location, attributes)

    def shared(self, kind: str, name: str, location: Location | None = None, **attributes: Any) -> str:
        """Add what is the same in the whole repository (an image, a variable, a path), unless it is there."""
        return self._add(f"{kind}:{name}", kind, name, location, attributes)

    def _add(self, node: str, kind: str, name: str, location: Location | None, attributes: dict[str, Any]) -> str:
        if node not in self.graph.nodes:
            self.graph.add_node(node, kind=kind, name=name, location=location, **attributes)
        elif location is not None and self.graph.nodes[node]["location"] is None:
            self.graph.nodes[node].update(location=location, **attributes)
        return node

    def edge(self, source: str, target: str, verb: str, location: Location, /, **attributes: Any) -> None:
        """Add an edge, unless the same place has said the same before."""
        key = (source, target, verb, location)
        if key not in self._edges:
            self._edges.add(key)
            self.graph.add_edge(source, target, verb=verb, location=location, **{"overlay": "", **attributes})
