"""YAML text to `Map` and `Seq` with the place of every entry; nothing is interpreted as Compose yet.

PyYAML's C parser composes the nodes, which carry positions; what the scalars mean is decided in `yaml_scalars`.
Follows go-yaml's decoding into generic maps and compose-go's `ResetProcessor`: keys are unique and text, merge keys
are resolved, `!reset` removes an entry and `!override` keeps it, and both leave a note of their path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.cyaml import CParser
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.sources import Source
from auditlib.compose.tree import Map, Seq, over
from auditlib.compose.yaml_scalars import plain, tagged
from auditlib.model import Location

DEPTH_LIMIT = 100
"""Compose files nest some ten levels; the limit keeps every recursive stage far from Python's own."""

Report = Callable[[str, int, Path], None]


@dataclass(slots=True)
class Document:
    """One YAML document: its top value, and the paths that carry `!reset` or `!override`."""

    value: Any
    mark: int
    cleared: list[Path] = field(default_factory=list)


class _Composer(CParser):  # type: ignore[misc]
    """The C composer without PyYAML's own idea of types: an untagged node has tag None, quoted or not."""

    def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str | None:
        return None if implicit is True or implicit[0] else "str"

    def descend_resolver(self, _parent: Any, _index: Any) -> None:
        return

    def ascend_resolver(self) -> None:
        return


def read_documents(source: Source, report: Report) -> list[Document]:
    """All documents of a YAML text; `ComposeError` where it is not YAML. `report` gets what is wrong in YAML's content."""
    documents = []
    for node in _nodes(source):
        builder = _Builder(source, report)
        value = builder.value(node, ())
        builder.check_aliasing(node)
        documents.append(Document(value, builder.mark(node, node), builder.cleared))
    return documents


def _nodes(source: Source) -> Iterator[Node]:
    if (bad := _CONTROL.search(source.text)) is not None:
        line, column = source.place(bad.start())
        raise ComposeError(f"control character {bad[0]!r} is not allowed in YAML", Location(source.name, line, column), kind="yaml")
    try:
        _check_depth(source)
        composer = _Composer(source.text)
        try:
            while composer.check_node():
                yield composer.get_node()
        finally:
            composer.dispose()
    except yaml.YAMLError as error:
        raise _syntax(source, error) from None


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_DEEP_LINE = re.compile(r"(?:[-?] +){20}")


def _check_depth(source: Source) -> None:
    """Refuse deep nesting before the recursive composer sees it; most files are told shallow by counting characters."""
    text = source.text
    brackets = text.count("[") + text.count("{")
    if brackets < DEPTH_LIMIT and len(text) < DEPTH_LIMIT * DEPTH_LIMIT // 2 and not _DEEP_LINE.search(text):
        return
    if brackets < DEPTH_LIMIT and not _DEEP_LINE.search(text) and not re.search(r"^ {%d}" % DEPTH_LIMIT, text, re.M):
        return
    depth = 0
    parser = CParser(text)
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH_LIMIT:
                    at = Location(source.name, event.start_mark.line + 1, event.start_mark.column + 1)
                    raise ComposeError(f"nested deeper than {DEPTH_LIMIT} levels", at, kind="too-deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        parser.dispose()


def _syntax(source: Source, error: yaml.YAMLError) -> ComposeError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable as YAML"
    context = getattr(error, "context", None)
    said = f"not valid YAML: {problem}" + (f" ({context})" if context else "")
    place = Location(source.name, mark.line + 1, mark.column + 1) if mark else Location(source.name)
    return ComposeError(said, place, kind="yaml")


class _Builder:
    """Builds the value of one document's nodes."""

    def __init__(self, source: Source, report: Report) -> None:
        self.file = source.number << 64
        self.report = report
        self.cleared: list[Path] = []
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()
        self._special: set[int] = set()
        self._plain: dict[str, Any] = {}
        self._seen: dict[int, tuple[set[Path], set[Path]]] = {}

    def mark(self, first: Node, last: Node) -> int:
        return self.file | first.start_mark.index << 32 | last.end_mark.index  # type: ignore[no-any-return]

    def value(self, node: Node, path: Path) -> Any:
        if type(node) is ScalarNode:
            return self._scalar(node, path)
        key = id(node)
        if key in self._open:
            self.report("an anchor's value contains itself", self.mark(node, node), path)
            return None
        if key in self._done:
            self._check_cycle(key, path, node)
            if key not in self._special:
                return self._done[key]
        before = len(self.cleared)
        self._open.add(key)
        built = self._mapping(node, path) if type(node) is MappingNode else self._sequence(node, path)
        self._open.discard(key)
        if len(self.cleared) > before:
            self._special.add(key)
        self._done[key] = built
        return built

    def _scalar(self, node: ScalarNode, path: Path) -> Any:
        tag = node.tag
        text: str = node.value
        if tag is None:
            if node.style:
                return text
            try:
                return self._plain[text]
            except KeyError:
                value = self._plain[text] = plain(text)
                return value
        try:
            return tagged(tag, text)
        except ValueError as error:
            self.report(str(error), self.mark(node, node), path)
            return text

    def _skip(self, node: Node, path: Path) -> bool:
        """Note a `!reset` or `!override`; true if the entry goes away."""
        if node.tag == "!reset":
            self.cleared.append(path)
            return True
        if node.tag == "!override":
            self.cleared.append(path)
        return False

    def _sequence(self, node: SequenceNode, path: Path) -> Seq:
        out = Seq()
        for index, item in enumerate(node.value):
            here = (*path, index)
            if item.tag is not None and self._skip(item, here):
                continue
            out.add(self.value(item, here), self.mark(item, item))
        return out

    def _mapping(self, node: MappingNode, path: Path) -> Map:
        out = Map()
        marks = out.marks
        merges: list[tuple[Node, Node]] = []
        seen: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key in seen:
                self._duplicate(key, key_node, seen[key], path)
            seen[key] = key_node
            if key == "<<" and key_node.tag in (None, "tag:yaml.org,2002:merge") and not key_node.style:
                # Compose drops `<<` from the path, so a tag here clears the whole mapping in earlier files.
                if value_node.tag is None or not self._skip(value_node, path or (key,)):
                    merges.append((key_node, value_node))
                continue
            here = (*path, key)
            if value_node.tag is not None and self._skip(value_node, here):
                continue
            value = self.value(value_node, here)
            first = value_node if type(value_node) is ScalarNode and value_node.value and value is not None else key_node
            out[key] = value
            marks[key] = self.mark(first, value_node)
        for key_node, value_node in merges:
            self._merge(out, key_node, value_node, path)
        return out

    def _key(self, node: Node, path: Path) -> str:
        if type(node) is not ScalarNode:
            self.report("a key must be text, not a mapping or a list", self.mark(node, node), path)
            return ""
        text: str = node.value
        if node.tag is None and not node.style and text != "<<" and type(plain(text)) is not str:
            self.report(f"a key must be text, found {text!r}; put it in quotes", self.mark(node, node), path)
        return text

    def _duplicate(self, key: str, node: Node, first: Node, path: Path) -> None:
        line = first.start_mark.line + 1
        self.report(f"key {key!r} is already defined at line {line}", self.mark(node, node), (*path, key))

    def _merge(self, out: Map, key_node: Node, node: Node, path: Path) -> None:
        """Add what `<<` brings; an entry that the mapping or an earlier source has stays."""
        own = set(out)
        for source in node.value if type(node) is SequenceNode else [node]:
            brought = self.value(source, path) if type(source) is MappingNode else None
            if not isinstance(brought, Map):
                self.report("`<<` needs a mapping or a list of mappings", self.mark(key_node, node), path)
                continue
            for key, value in brought.items():
                if key not in out:
                    out.put(key, value, brought.marks[key])
                elif key in own:
                    out.marks[key] = over(out.marks[key], brought.marks[key])

    def _check_cycle(self, key: int, path: Path, node: Node) -> None:
        """Compose takes an anchor used at a path and again below that path for a cycle, even when it is none."""
        used, prefixes = self._seen.setdefault(key, (set(), set()))
        if path and path[0] != "<<":
            inside = any(path[:n] in used for n in range(1, len(path)))
            if inside or path in prefixes:
                self.report("the same anchor is used here and above or below here, which Compose takes for a cycle", self.mark(node, node), path)
            used.add(path)
            prefixes.update(path[:n] for n in range(1, len(path)))

    def check_aliasing(self, node: Node) -> None:
        """Refuse a document that aliases would blow up, by go-yaml's own ratio of expanded to written nodes."""
        counts: dict[int, tuple[int, int]] = {}
        total, aliased = _expanded(node, counts)
        if aliased > 100 and total > 1000 and aliased / total > _allowed(total):
            self.report(f"aliases expand this document to {total} values", self.mark(node, node), ())


def _expanded(node: Node, counts: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Nodes of the expanded document, and how many of them come from aliases."""
    if type(node) is ScalarNode:
        return 1, 0
    total, aliased = 1, 0
    children = node.value if type(node) is SequenceNode else [n for pair in node.value for n in pair]
    counts[id(node)] = (1, 0)
    for child in children:
        if type(child) is ScalarNode:
            total += 1
        elif id(child) in counts:
            below = counts[id(child)][0]
            total += below + 1
            aliased += below + 1
        else:
            below, through = _expanded(child, counts)
            total += below
            aliased += through
    counts[id(node)] = (total, aliased)
    return total, aliased


def _allowed(total: int) -> float:
    if total <= 400_000:
        return 0.99
    if total >= 4_000_000:
        return 0.10
    return 0.99 - 0.89 * (total - 400_000) / 3_600_000
