"""What the builders of tables work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from auditlib.inventory import Inventory
from auditlib.model import Coverage, Finding, Location
from auditlib.redaction import Value
from auditlib.tables._graph import Graph

Row = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """An audit's parts."""

    inventory: Inventory
    graph: Graph
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]

    @cached_property
    def layers(self) -> dict[str, int]:
        """The place of each service node in the start order."""
        return {node: layer for layer, nodes in enumerate(self.graph.start_order()) for node in nodes}

    @cached_property
    def broken_by(self) -> dict[str, int]:
        """How many services the failure of each service node takes along."""
        return self.graph.reach_of_failures()

    def name(self, node: str | None) -> str:
        """What people call a node; empty for none."""
        return str(self.graph.nodes[node]["name"]) if node is not None else ""


def at(place: Location) -> Row:
    """The columns that say where a row comes from."""
    return {"file": place.file, "line": place.line}


def joined(names: Iterable[object]) -> str:
    """Several names as one cell."""
    return ", ".join(str(name) for name in names)


def value(item: Value | None) -> Row:
    """The columns of a value; missing for none."""
    if item is None:
        return {"value": None, "secret": False, "weak": False, "placeholder": False}
    return {"value": item.text, "secret": item.secret, "weak": item.weak, "placeholder": item.placeholder}
