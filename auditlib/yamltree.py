"""YAML as a tree of nodes that know where they stand, read the way Compose, GitHub and Prometheus read it.

PyYAML's own resolver follows YAML 1.1, in which `on:` is `True` and `22:22` a number. The tools whose files we read
follow the core schema of YAML 1.2, so plain scalars are resolved by that (https://yaml.org/spec/1.2.2/#103-core-schema).
Aliases are shared, never copied, so that an alias bomb stays as small as its text; depth and size are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from auditlib.patterns import regex

DEPTH_LIMIT = 200
NODE_LIMIT = 2_000_000
MERGE_LIMIT = 2_000_000
"""Pairs that the merge keys of a text bring in altogether; aliases let a small text spell many."""

_INTEGER = regex(r"[-+]?[0-9]+$|0o[0-7]+$|0x[0-9a-fA-F]+$")
_FLOAT = regex(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")
_WORDS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlError(Exception):
    """A text that is no YAML we can read; `line` and `column` count from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


class Node(Struct, eq=False):
    """One value of a document. `content` is a str for a scalar, nodes for a sequence, pairs of nodes for a mapping."""

    content: str | list[Node] | list[tuple[Node, Node]]
    line: int
    column: int
    end_line: int
    plain: bool = False
    """Whether a scalar was written without quotes, and so may be a number, a boolean or null."""
    kind: str = "scalar"
    merged: list[tuple[Node, Node]] | None = None
    """The answer of `items`, kept because merge keys may build on each other."""
    repeated: tuple[tuple[str, int], ...] = ()
    """Of a document's root: the keys that stand twice in one mapping of it, each with the line of the second."""

    @property
    def is_mapping(self) -> bool:
        """Whether it is a mapping."""
        return self.kind == "mapping"

    @property
    def is_sequence(self) -> bool:
        """Whether it is a sequence."""
        return self.kind == "sequence"

    @property
    def text(self) -> str:
        """A scalar as it was written; empty for anything else and for null."""
        if self.kind != "scalar" or (self.plain and self.content in ("~", "null", "Null", "NULL")):
            return ""
        return str(self.content)

    @property
    def value(self) -> object:
        """A scalar as Python sees it by the core schema; `None` for anything else."""
        if self.kind != "scalar":
            return None
        text = str(self.content)
        return _resolve(text) if self.plain else text

    def items(self) -> list[tuple[Node, Node]]:
        """The pairs of a mapping, merge keys (`<<`) resolved; nothing for any other node."""
        if self.merged is None:
            self.merged = self._pairs()  # an anchor that merges itself ends here
            self.merged = _merge(self.merged)
        return self.merged

    def elements(self) -> list[Node]:
        """The items of a sequence; nothing for any other node."""
        return self.content if self.kind == "sequence" else []  # type: ignore[return-value]

    def get(self, *keys: str) -> Node | None:
        """The node at a path of mapping keys, or None."""
        node: Node | None = self
        for name in keys:
            node = next((value for key, value in node.items() if key.text == name), None) if node else None
        return node

    def texts(self) -> list[Node]:
        """The scalars of a node that may be written as one scalar or as a list of them."""
        if self.kind == "scalar":
            return [self] if self.text else []
        return [node for node in self.elements() if node.kind == "scalar"]

    def walk(self) -> Iterator[Node]:
        """This node and every node below it, each once."""
        seen: set[int] = set()
        stack = [self]
        while stack:
            node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if node.is_mapping:
                stack.extend(child for pair in reversed(node._pairs()) for child in reversed(pair))
            else:
                stack.extend(reversed(node.elements()))

    def _pairs(self) -> list[tuple[Node, Node]]:
        return self.content if self.kind == "mapping" else []  # type: ignore[return-value]


def _merge(pairs: list[tuple[Node, Node]]) -> list[tuple[Node, Node]]:
    """Own keys win over merged ones, earlier sources over later ones (https://yaml.org/type/merge.html)."""
    if not any(key.plain and key.text == "<<" for key, _ in pairs):
        return pairs
    result = {key.text: (key, value) for key, value in pairs if not (key.plain and key.text == "<<")}
    for key, value in pairs:
        if key.plain and key.text == "<<":
            for source in value.elements() or [value]:
                for merged_key, merged in source.items():
                    if merged_key.text != "<<":  # of a mapping that merges itself
                        result.setdefault(merged_key.text, (merged_key, merged))
    return list(result.values())


def _merge_cost(node: Node) -> int:
    """How many pairs the merge keys of a mapping bring in, before repeated keys fall together."""
    sources = (value.elements() or [value] for key, value in node._pairs() if key.plain and key.text == "<<")
    return sum(len(source.merged or source.content) for found in sources for source in found)


def _resolve(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text) if len(text) < 30 else text
    if _FLOAT.match(text):
        return float(text)
    return text


def parse(text: str) -> list[Node]:
    """The documents of `text`. Raises YamlError, and nothing else, for what is no YAML within the limits."""
    try:
        return list(_documents(text))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise YamlError(error.problem or "not valid YAML", line, column) from None
    except (yaml.YAMLError, RecursionError, UnicodeError) as error:
        raise YamlError(str(error).splitlines()[0] if str(error) else "not valid YAML") from None


def _documents(text: str) -> Iterator[Node]:
    builder = _Builder()
    event: Any  # the stubs say that its marks may be missing, which the parser's never are
    for count, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        if count > NODE_LIMIT:
            raise YamlError(f"more than {NODE_LIMIT} nodes", event.start_mark.line + 1)
        if isinstance(event, yaml.NodeEvent):
            builder.add(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            builder.end(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            builder.begin()
        elif isinstance(event, yaml.DocumentEndEvent) and builder.root is not None:
            builder.root.repeated = tuple(builder.repeated)
            yield builder.root


class _Builder:
    """Puts a document together as the parser goes through it."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.repeated: list[tuple[str, int]] = []
        self._anchors: dict[str, Node] = {}
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        """For each open mapping the key that waits for its value."""
        self._merged = 0

    def begin(self) -> None:
        """Another document begins."""
        self._anchors, self.root, self.repeated = {}, None, []

    def add(self, event: Any) -> None:
        """A value, or the beginning of one that holds others."""
        node = _node(event, self._anchors)
        if self._open:
            _attach(self._open[-1], self._keys, node)
        else:
            self.root = node
        if isinstance(event, yaml.CollectionStartEvent):
            self._descend(node, event.start_mark)

    def _descend(self, node: Node, mark: Any) -> None:
        self._open.append(node)
        self._keys.append(None)
        if len(self._open) > DEPTH_LIMIT:
            raise YamlError(f"nested more than {DEPTH_LIMIT} deep", mark.line + 1, mark.column + 1)

    def end(self, event: Any) -> None:
        """The innermost mapping or sequence ends."""
        node = self._open.pop()
        self._keys.pop()
        self._merged += _merge_cost(node)
        if self._merged > MERGE_LIMIT:
            raise YamlError(f"merge keys bring in more than {MERGE_LIMIT} pairs", event.start_mark.line + 1)
        self.repeated += _repeated(node)
        _close(node, event)


def _repeated(node: Node) -> list[tuple[str, int]]:
    """The keys that stand twice in a mapping, which YAML forbids and Go's parser refuses; several merges are common."""
    keys = [key for key, _ in node._pairs() if key.kind == "scalar" and key.content != "<<"]
    if len(keys) == len({key.content for key in keys}):
        return []
    first = {key.content: key for key in reversed(keys)}
    return [(key.text, key.line) for key in keys if first[key.content] is not key]


def _close(node: Node, event: Any) -> None:
    """A flow collection ends at its bracket; a block collection has no mark of its own and ends with its last child."""
    node.items()  # from the inside out, so that a long chain of merge keys needs no recursion
    if event.start_mark.index != event.end_mark.index:
        node.end_line = event.end_mark.line + 1
        return
    last = node.content[-1] if node.content else node
    child = last[1] if isinstance(last, tuple) else last
    if isinstance(child, Node):
        node.end_line = max(node.line, child.end_line if child.line >= node.line else 0)


def _node(event: Any, anchors: dict[str, Node]) -> Node:
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise YamlError(f"alias *{event.anchor} has no anchor", start.line + 1, start.column + 1)
        return anchors[event.anchor]
    end_line = end.line + 1 if end.column or end.line == start.line else end.line
    if isinstance(event, yaml.ScalarEvent):
        node = Node(event.value, start.line + 1, start.column + 1, end_line, plain=not event.style)
    else:
        kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        node = Node([], start.line + 1, start.column + 1, end_line, kind=kind)
    if event.anchor:
        anchors[event.anchor] = node
    return node


def _attach(parent: Node, keys: list[Node | None], node: Node) -> None:
    if parent.is_sequence:
        parent.elements().append(node)
    elif keys[-1] is None:
        keys[-1] = node
    else:
        parent._pairs().append((keys[-1], node))
        keys[-1] = None
