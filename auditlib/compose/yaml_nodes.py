"""YAML text to PyYAML's nodes: what is not YAML, or nests too deep, is refused with its place.

PyYAML's C parser composes the nodes, which carry positions. It recurses on the C stack, so depth is bounded before it
sees the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.nodes import Node

from auditlib.compose.errors import ComposeError
from auditlib.compose.sources import Source
from auditlib.model import Location
from auditlib.patterns import regex

DEPTH_LIMIT = 100
"""Compose files nest some ten levels; the limit keeps every recursive stage far from Python's own."""

VALUE_LIMIT = 500_000
"""Values of one file, counted by what separates them: some twenty thousand services."""

_CONTROL = regex("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_VERSION = regex(r"(?:\A|^\.\.\.[^\n]*\n)(?:[ \t]*(?:#[^\n]*)?\n|%(?!YAML)[^\n]*\n)*%YAML[ \t]+(\S+)", re.MULTILINE)
_COMPACT = regex(r"(?:[-?] +){20}")
_INDENTED = regex(rf"^ {{{DEPTH_LIMIT}}}", re.MULTILINE)


class _Composer(CParser):
    """The C composer without PyYAML's own idea of types: a plain untagged node has tag None, a quoted one `str`."""

    def resolve(self, _kind: Any, _value: Any, implicit: Any) -> str | None:
        return None if implicit is True or implicit[0] else "str"

    def descend_resolver(self, _parent: Any, _index: Any) -> None:
        return

    def ascend_resolver(self) -> None:
        return


def compose_nodes(source: Source) -> Iterator[Node]:
    """The top node of each document of a text."""
    if (bad := _CONTROL.search(source.text)) is not None:
        place = Location(source.name, *source.place(bad.start()))
        raise ComposeError(f"control character {bad[0]!r} is not allowed in YAML", place, kind="yaml")
    if (version := _VERSION.search(source.text)) is not None and version[1] != "1.1":
        place = Location(source.name, *source.place(version.start(1)))
        raise ComposeError(f"Compose reads no YAML {version[1]}; leave the %YAML line out", place, kind="yaml")
    if sum(map(source.text.count, "[{,\n")) > VALUE_LIMIT:
        raise ComposeError(f"more than {VALUE_LIMIT} values", Location(source.name), kind="too-large")
    try:
        if _may_be_deep(source.text):
            _check_depth(source)
        composer = _Composer(source.text)
        try:
            while composer.check_node():
                yield cast(Node, composer.get_node())
        finally:
            composer.dispose()
    except yaml.YAMLError as error:
        raise _syntax(source, error) from None


def _may_be_deep(text: str) -> bool:
    """Most files are told shallow by counting: brackets, dashes in one line, and the deepest indentation."""
    if text.count("[") + text.count("{") >= DEPTH_LIMIT or _COMPACT.search(text):
        return True
    # A block level takes at least one more space, but a list within a mapping may have none.
    return len(text) > DEPTH_LIMIT * DEPTH_LIMIT // 4 and bool(_INDENTED.search(text) or _deep_dashes(text))


def _deep_dashes(text: str) -> bool:
    """Whether some line is indented so far that lists without indentation could double its depth past the limit."""
    return f"\n{' ' * (DEPTH_LIMIT // 2 - 1)}" in text


def _check_depth(source: Source) -> None:
    depth = 0
    parser = CParser(source.text)
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEPTH_LIMIT:
                    mark: Any = event.start_mark
                    place = Location(source.name, mark.line + 1, mark.column + 1)
                    raise ComposeError(f"nested deeper than {DEPTH_LIMIT} levels", place, kind="too-deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        parser.dispose()


def _syntax(source: Source, error: yaml.YAMLError) -> ComposeError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not readable"
    context = getattr(error, "context", None)
    said = f"not valid YAML: {problem}" + (f" ({context})" if context else "")
    place = Location(source.name, mark.line + 1, mark.column + 1) if mark else Location(source.name)
    return ComposeError(said, place, kind="yaml")
