"""What YAML aliases may do: neither blow a document up nor lead back to themselves.

Follows go-yaml's bound on expanded nodes and the cycle check of compose-go's `ResetProcessor`.
"""

from __future__ import annotations

from dataclasses import dataclass

from yaml.nodes import MappingNode, Node, ScalarNode

from auditlib.compose.errors import Path


@dataclass(frozen=True, slots=True)
class Extent:
    """A document with its aliases expanded: its nodes, how many of them come from aliases, and its depth."""

    total: int
    aliased: int
    depth: int

    @property
    def excessive(self) -> bool:
        """Whether go-yaml would refuse it for its aliases."""
        return self.aliased > 100 and self.total > 1000 and self.aliased / self.total > _allowed(self.total)


def extent(node: Node, known: dict[int, Extent] | None = None) -> Extent:
    """How far a node's document expands; each node is looked at once."""
    known = {} if known is None else known
    total, aliased, depth = 1, 0, 1
    if isinstance(node, ScalarNode):
        return Extent(total, aliased, depth)
    children = [n for pair in node.value for n in pair] if isinstance(node, MappingNode) else node.value
    known[id(node)] = Extent(1, 0, 1)
    for child in children:
        if type(child) is ScalarNode:
            total += 1
            continue
        again = id(child) in known
        below = known[id(child)] if again else extent(child, known)
        total += below.total + again
        aliased += below.total + 1 if again else below.aliased
        depth = max(depth, below.depth + 1)
    found = known[id(node)] = Extent(total, aliased, depth)
    return found


def _allowed(total: int) -> float:
    """The part of a document that may come from aliases: nearly all of a small one, a tenth of a huge one."""
    if total <= 400_000:
        return 0.99
    if total >= 4_000_000:
        return 0.10
    return 0.99 - 0.89 * (total - 400_000) / 3_600_000


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
