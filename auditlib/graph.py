"""The inventory as one dependency graph that answers questions."""

from __future__ import annotations

import networkx

from auditlib.inventory import Inventory


class DependencyGraph(networkx.MultiDiGraph):
    """Nodes carry `kind`, edges a `verb`, both a `location`."""


def build(inventory: Inventory) -> DependencyGraph:
    """The graph of an inventory."""
    return DependencyGraph()
