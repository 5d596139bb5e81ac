"""What nothing reaches and what reaches nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

_TOUCHES_A_SERVICE = frozenset({"depends_on", "scrapes", "queries", "routes_to", "publishes", "forwards_to"})
_HAS_NO_NEIGHBOURS = frozenset({"workflow", "document"})
"""Kinds that start or explain others; that nothing reaches them means nothing."""


def isolated(graph: DependencyGraph, kind: str | None) -> list[str]:
    """The isolated nodes of a kind, or of all kinds, in the order of the files."""
    return [
        node for node, data in graph.nodes.items()
        if kind in (None, data["kind"])
        and data["kind"] not in _HAS_NO_NEIGHBOURS
        and not _is_touched(graph, node, data["kind"])
    ]  # fmt: skip


def _is_touched(graph: DependencyGraph, node: str, kind: str) -> bool:
    edges = (*graph.links_to(node), *graph.links_from(node))
    others = [(target, data["verb"]) for source, target, data in edges if source != target]
    others = [(target, verb) for target, verb in others if verb != "documents"]
    if kind != "service":
        return bool(others)
    return any(
        verb in _TOUCHES_A_SERVICE or (verb == "runs" and graph.nodes[target]["kind"] != "image")
        for target, verb in others
    )
