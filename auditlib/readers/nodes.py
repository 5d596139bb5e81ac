"""What readers of YAML ask of a node again and again: its place, its texts, its entries of the right shape."""

from __future__ import annotations

from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.redaction import Vault
from auditlib.yamltree import Node

ENTRY_LIMIT = 100_000
_SPAN = regex(r"(?:\d{1,9}(?:ms|[smhdwy]))+")
_PART = regex(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


def location(node: Node, file: str) -> Location:
    """Where a node stands."""
    return Location(file, node.line, node.column, node.end_line)


def text(node: Node, *keys: str) -> str:
    """The scalar at a path of keys as it was written; empty if there is none."""
    found = node.get(*keys)
    return found.text if found else ""


def seconds(written: str) -> float:
    """A span of time as Prometheus writes it (`1m30s`), in seconds; 0 for anything else."""
    if not _SPAN.fullmatch(written.strip()):
        return 0.0
    return float(sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(written)))


def is_true(node: Node, *keys: str) -> bool:
    """Whether the scalar at a path of keys is true."""
    found = node.get(*keys)
    return found is not None and found.value is True


def pairs(node: Node | None, vault: Vault) -> tuple[tuple[str, str], ...]:
    """The scalar entries of a mapping, masked by their names."""
    entries = [(key.text, value.text) for key, value in node.items() if value.kind == "scalar"] if node else []
    return tuple((name, vault.value(name, text).text) for name, text in entries)


class Entries:
    """Takes lists out of a file and notes what has another shape, as coverage entries.

    Aliases let a small file spell a huge list, so that the number of entries taken is limited.
    """

    def __init__(self, file: str, kind: str) -> None:
        self.file, self.kind = file, kind
        self.problems: list[Coverage] = []
        self._left = ENTRY_LIMIT

    def of(self, parent: Node | None, *keys: str) -> list[Node]:
        """The mappings of the list at a path of keys; nothing if there is none."""
        found = parent.get(*keys) if parent else None
        if found is None or (found.plain and found.value is None):
            return []
        if not found.is_sequence:
            self.problem(found, f"`{keys[-1]}` is no list")
        elements = self._within_limit(found.elements(), found)
        for element in elements:
            if not element.is_mapping:
                self.problem(element, f"an entry of `{keys[-1]}` is no mapping")
        return [element for element in elements if element.is_mapping]

    def scalars(self, node: Node | None) -> list[Node]:
        """The scalars of a node that is one or a list of them; nothing for None, and once the limit is reached."""
        return self._within_limit(node.texts(), node) if node and self._left > 0 else []

    def items(self, node: Node | None) -> list[tuple[Node, Node]]:
        """The keys and values of a mapping; nothing for anything else, and once the limit is reached."""
        if node is None or self._left <= 0:
            return []
        found = node.items()[: self._left]
        self._left -= len(found)
        return found

    def elements(self, node: Node | None) -> list[Node]:
        """The entries of a list of whatever shape; nothing for anything else, and once the limit is reached."""
        if node is None or self._left <= 0:
            return []
        return self._within_limit(node.elements(), node)

    def problem(self, node: Node, reason: str) -> None:
        """Note a part that was not understood."""
        self.problems.append(Coverage(self.file, self.kind, Read.PARTIAL, reason, node.line))

    def _within_limit(self, elements: list[Node], node: Node) -> list[Node]:
        if len(elements) > self._left:
            self.problem(node, f"has more than {ENTRY_LIMIT} entries; the rest was left out")
        taken = elements[: self._left]
        self._left -= len(taken)
        return taken
