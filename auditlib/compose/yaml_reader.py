"""YAML text to `Map` and `Seq` with the place of every entry; nothing is interpreted as Compose yet.

Follows go-yaml's decoding into generic maps and compose-go's `ResetProcessor`: keys are unique and text, merge keys
are resolved, `!reset` removes an entry and `!override` keeps it, and both leave a note of their path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from auditlib.compose.errors import Path
from auditlib.compose.sources import Source
from auditlib.compose.tree import Map, Seq, over
from auditlib.compose.yaml_aliases import LIMIT, AliasPaths, extent
from auditlib.compose.yaml_nodes import DEPTH_LIMIT, compose_nodes
from auditlib.compose.yaml_scalars import plain, tagged

Report = Callable[[str, int, Path], None]


class Document(Struct):
    """One YAML document: its top value, and the paths that carry `!reset` or `!override`."""

    value: Any
    mark: int
    cleared: list[Path] = field(default_factory=list)


def read_documents(source: Source, report: Report) -> list[Document]:
    """All documents of a YAML text; `ComposeError` where it is not YAML. `report` hears of faulty content."""
    documents = []
    for node in compose_nodes(source):
        builder = _Builder(source, report)
        mark = builder.mark(node, node)
        size = extent(node)
        if size.total > LIMIT or size.depth > DEPTH_LIMIT:
            report(f"aliases expand this document to {size.total} values, {size.depth} levels deep", mark, ())
            documents.append(Document(Map(), mark))
            continue
        documents.append(Document(builder.value(node, ()), mark, builder.cleared))
    return documents


_Mark = Any
"""PyYAML's place; its C parser's marks and its own have the same attributes, but no common type."""


def index(mark: _Mark) -> int:
    """The offset of a place in its text."""
    found: int = mark.index
    return found


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
        self._aliases = AliasPaths()

    def mark(self, first: Node, last: Node) -> int:
        return self.file | index(first.start_mark) << 32 | index(last.end_mark)

    def value(self, node: Node, path: Path) -> Any:
        if type(node) is ScalarNode:
            return self._scalar(node, path)
        key = id(node)
        if key in self._open:
            self.report("an anchor's value contains itself", self.mark(node, node), path)
            return None
        if key in self._done:
            if self._aliases.nested(node, path):
                self.report(
                    "the anchor is used above or below too, which Compose takes for a cycle",
                    self.mark(node, node),
                    path,
                )
            if key not in self._special:
                return self._done[key]
        before = len(self.cleared)
        self._open.add(key)
        built: Any = self._sequence(node, path) if isinstance(node, SequenceNode) else self._mapping(node, path)
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

    def _mapping(self, node: Node, path: Path) -> Map:
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
            first = (
                value_node if type(value_node) is ScalarNode and value_node.value and value is not None else key_node
            )
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
