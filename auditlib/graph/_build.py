"""From an inventory to its graph, in one pass over the records and one over the connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditlib.graph import _configuration, _connections, _credentials, _delivery, _monitoring, _proxies, _stack
from auditlib.graph._builder import Builder
from auditlib.inventory import Inventory

if TYPE_CHECKING:
    from auditlib.graph._plain_graph import PlainGraph
    from auditlib.graph.networkx_graph import NetworkxGraph


def build(inventory: Inventory) -> NetworkxGraph:
    """The graph of an inventory as a networkx graph; its time is linear in the number of records."""
    return assemble(inventory).for_networkx()


def assemble(inventory: Inventory) -> PlainGraph:
    """The same graph without networkx, whose import would be a good part of a quick command's time."""
    builder = Builder(inventory)
    parts = (_stack, _configuration, _monitoring, _delivery)
    for part in parts:
        part.declare(builder)
    for part in parts:
        part.add(builder)
    _connections.add(builder)
    _proxies.add(builder)
    builder.graph.credentials = tuple(_credentials.traces(inventory, builder.graph.hosts))
    return builder.graph
