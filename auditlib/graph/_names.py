"""From what a person types to a node of the graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from auditlib import nearest
from auditlib.errors import UsageError
from auditlib.graph._vocabulary import KINDS

if TYPE_CHECKING:
    from auditlib.graph._dependency_graph import DependencyGraph

_ORDER = {kind: position for position, kind in enumerate(KINDS)}
_SPELLINGS: tuple[Callable[[str, str, dict[str, Any]], bool], ...] = (
    lambda name, node, data: node.partition(":")[2] == name,
    lambda name, node, data: data["name"] == name,
    lambda name, node, data: f"{data.get('project') or data.get('file')}/{data['name']}" == name,
    lambda name, node, data: name in data.get("aliases", ()),
    lambda name, node, data: data["name"].lower() == name.lower(),
)
"""How a name may mean a node, the most exact first: what follows the kind in its id; its name, by itself or with its
project or file; a container's name; its name in other letters."""


def find(graph: DependencyGraph, name: str, kind: str | None = None) -> str:
    """The id of the node that `name` means; a service wins over other kinds, and so on in the order of `KINDS`.

    Raises UsageError if none matches, or several of one kind do.
    """
    if name in graph.nodes and kind in (None, graph.nodes[name]["kind"]):
        return name
    prefix, colon, rest = name.partition(":")
    if colon and prefix in KINDS:
        kind, name = prefix, rest
    candidates = [(node, data) for node, data in graph.nodes.items() if kind in (None, data["kind"])]
    for means in _SPELLINGS:
        if found := [node for node, data in candidates if means(name, node, data)]:
            return _one(graph, name, found)
    raise UsageError(_nothing(name, kind, [node for node, _ in candidates]))


def _one(graph: DependencyGraph, name: str, found: list[str]) -> str:
    ranks = {node: _ORDER[graph.nodes[node]["kind"]] for node in found}
    best = sorted(node for node, rank in ranks.items() if rank == min(ranks.values()))
    if len(best) > 1:
        raise UsageError(f"{name!r} may be {' or '.join(best[:5])}; name one of them")
    return best[0]


def _nothing(name: str, kind: str | None, candidates: list[str]) -> str:
    names = {node.partition(":")[2]: node for node in reversed(candidates)}
    what = f"no {kind.replace('_', ' ')}" if kind else "nothing"
    hint = nearest.hint(name, names, '`graph.of_kind("service")` lists the services')
    return f"there is {what} called {name!r} in the graph; {hint}"
