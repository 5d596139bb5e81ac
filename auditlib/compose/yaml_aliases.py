"""What YAML aliases may do: neither blow a document up nor lead back to themselves.

Follows the cycle check of compose-go's `ResetProcessor`.
"""

from __future__ import annotations

from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode

from auditlib.compose.errors import Path

LIMIT = 1_000_000
"""Values of a document with its aliases expanded. Compose knows no limit, and a bomb makes it hang."""


class Extent(Struct, frozen=True):
    """A document with its aliases expanded: its values and its depth."""

    total: int
    depth: int


def extent(node: Node, known: dict[int, Extent] | None = None) -> Extent:
    """How far a node's document expands; each node is looked at once."""
    known = {} if known is None else known
    total, depth = 1, 1
    if isinstance(node, ScalarNode):
        return Extent(total, depth)
    children = [n for pair in node.value for n in pair] if isinstance(node, MappingNode) else node.value
    known[id(node)] = Extent(1, 1)
    for child in children:
        if type(child) is ScalarNode:
            total += 1
            continue
        below = known.get(id(child)) or extent(child, known)
        total += below.total
        depth = max(depth, below.depth + 1)
    found = known[id(node)] = Extent(total, depth)
    return found


class AliasPaths:
    """The paths at which each anchor is used."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[set[Path], set[Path]]] = {}

    def nested(self, node: Node, path: Path) -> bool:
        """Note a use; true if the same anchor is used above or below, which Compose takes for a cycle."""
        used, above = self._seen.setdefault(id(node), (set(), set()))
        if not path or path[0] == "<<":
            return False
        parents = [path[:n] for n in range(1, len(path))]
        found = path in above or any(parent in used for parent in parents)
        used.add(path)
        above.update(parents)
        return found
