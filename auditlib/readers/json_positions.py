"""JSON whose objects know where they stand, at little more than the price of the standard library's parser.

The parser calls its hook for each object when it closes, so that the braces of the text, paired in the same order,
give each object its place. A scanner that yields every value with its place takes fifteen times as long.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.source import Source, Unreadable

_KEY = regex(r'"(?P<key>(?:[^"\\]++|\\.)*+)"(?P<colon>\s*:)?', re.S)
_TOKEN = regex(r'"(?P<key>(?:[^"\\]++|\\.)*+)"(?P<colon>\s*:)?|[{}]', re.S)
_BRACE = regex(r'"(?:[^"\\]++|\\.)*+"|[{}]', re.S)
_REPEATED_LIMIT = 20
"""Objects of a file in which repeated keys are looked for: each takes a pass over its text."""


class Object(dict[str, Any]):
    """A JSON object; `start` and `end` are offsets into the text."""

    __slots__ = ("end", "start")
    start: int
    end: int


class Document:
    """A JSON text, parsed. Raises Unreadable, with the line, for what is no JSON."""

    def __init__(self, source: Source, file: str) -> None:
        self.file, self._text = file, source.text(file)
        self._newlines = [match.start() for match in re.finditer("\n", self._text)]
        spans = _spans(self._text)

        repeated: list[Object] = []

        def placed(pairs: list[tuple[str, Any]]) -> Object:
            found = Object(pairs)
            found.start, found.end = next(spans)
            if len(found) != len(pairs):
                repeated.append(found)
            return found

        try:
            self.value: Any = json.loads(self._text, object_pairs_hook=placed)
        except json.JSONDecodeError as error:
            raise Unreadable(f"not valid JSON: {error.msg}", error.lineno) from None
        except RecursionError:
            raise Unreadable("not valid JSON: nested too deep") from None
        except ValueError as error:  # a number of thousands of digits
            raise Unreadable(f"not valid JSON: {error}") from None
        source.repeated_keys[file] = sorted(
            (key for item in repeated[:_REPEATED_LIMIT] for key in self._repeated(item)), key=itemgetter(1)
        )

    def _repeated(self, item: Object) -> Iterator[tuple[str, int]]:
        """The keys of an object that stood there before, each with its line."""
        seen: set[str] = set()
        depth = 0
        for match in _TOKEN.finditer(self._text, item.start, item.end):
            depth += {"{": 1, "}": -1}.get(match[0], 0)
            if depth == 1 and match["colon"]:
                if match["key"] in seen:
                    yield match["key"], self._place(match.start(), match.end()).line
                seen.add(match["key"])

    def location(self, item: Object, key: str = "") -> Location:
        """Where an object stands, or one of its keys."""
        if key:
            pattern = re.compile(rf"(?<!\\){re.escape(json.dumps(key))}\s*:")
            if match := pattern.search(self._text, item.start, item.end):
                return self._place(match.start(), match.end())
        return self._place(item.start, item.end)

    def places(self, item: Object) -> dict[str, Location]:
        """Where each key of an object stands, for all of them in one pass."""
        found: dict[str, Location] = {}
        for match in _KEY.finditer(self._text, item.start, item.end):
            if match["colon"]:
                found.setdefault(match["key"], self._place(match.start(), match.end()))
        return found

    def _place(self, start: int, end: int) -> Location:
        line = bisect_right(self._newlines, start - 1)
        before = self._newlines[line - 1] if line else -1
        return Location(self.file, line + 1, start - before, bisect_right(self._newlines, end - 1) + 1)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each object begins and ends, in the order in which they end."""
    open_braces: list[int] = []
    for match in _BRACE.finditer(text):
        if match[0] == "{":
            open_braces.append(match.start())
        elif match[0] == "}" and open_braces:
            yield open_braces.pop(), match.end()


def objects(value: object) -> list[Object]:
    """The objects of a list; nothing for any other value."""
    return [item for item in value if isinstance(item, Object)] if isinstance(value, list) else []


def text(value: object, *keys: str) -> str:
    """The string at a path of keys; empty if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
