"""Which nodes lie on a circle together: strongly connected components, as Kosaraju and Sharir find them.

networkx has this too; a quick command would spend a good part of its time on importing it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

_Neighbours = Mapping[str, Iterable[str]]


def components(successors: _Neighbours) -> list[list[str]]:
    """The groups of nodes that lead to each other, each after all groups that it leads to. Linear in nodes and edges.

    `successors` has every node as a key.
    """
    finished = [node for tree in _trees(successors, successors) for node in tree]
    predecessors: dict[str, list[str]] = {node: [] for node in successors}
    for node in successors:
        for other in successors[node]:
            predecessors[other].append(node)
    return list(_trees(predecessors, reversed(finished)))[::-1]


def _trees(successors: _Neighbours, roots: Iterable[str]) -> Iterator[list[str]]:
    """For each root that no earlier one reaches, the nodes that it reaches first, each after the ones below it."""
    seen: set[str] = set()
    for root in roots:
        if root not in seen:
            seen.add(root)
            yield list(_tree(successors, root, seen))


def _tree(successors: _Neighbours, root: str, seen: set[str]) -> Iterator[str]:
    path = [(root, iter(successors[root]))]
    while path:
        node, following = path[-1]
        other = next((other for other in following if other not in seen), None)
        if other is None:
            path.pop()
            yield node
        else:
            seen.add(other)
            path.append((other, iter(successors[other])))
