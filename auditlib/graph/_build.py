"""From an inventory to its graph, in one pass over the records and one over the connections."""

from __future__ import annotations

from auditlib.graph import _configuration, _connections, _credentials, _delivery, _monitoring, _stack
from auditlib.graph._builder import Builder
from auditlib.graph._dependency_graph import DependencyGraph
from auditlib.inventory import Inventory


def build(inventory: Inventory) -> DependencyGraph:
    """The graph of an inventory; its time is linear in the number of records."""
    builder = Builder(inventory)
    parts = (_stack, _configuration, _monitoring, _delivery)
    for part in parts:
        part.declare(builder)
    for part in parts:
        part.add(builder)
    _connections.add(builder)
    builder.graph.credentials = tuple(_credentials.traces(inventory, builder.graph.hosts))
    return builder.graph
