"""TOML whose keys and strings know where they stand: parsed by the standard library, placed by a scan over the lines.

Follows https://toml.io/en/v1.0.0.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import Any

from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.source import Source, Unreadable

_TABLE = regex(r"\s*\[{1,2}\s*(?P<name>[^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = regex(r"\s*(?P<name>[\w-]+|\"[^\"]*\"|'[^']*')\s*=")
_STRING = regex(r"\"((?:[^\"\\]|\\.)*+)\"|'([^']*)'")


class TomlDocument:
    """A TOML file. Raises Unreadable, with the line, for what is no TOML."""

    def __init__(self, source: Source, file: str) -> None:
        self.file = file
        text = source.text(file)
        import tomllib  # here, as most repositories have nothing to parse

        try:
            self.value: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"line (\d+)", str(error))
            raise Unreadable(f"not valid TOML: {error}", int(line[1]) if line else 1) from None
        except (RecursionError, ValueError) as error:
            raise Unreadable(f"not valid TOML: {error}") from None
        self._keys: dict[tuple[str, str], int] = {}
        self._strings: defaultdict[str, list[int]] = defaultdict(list)
        self._scan(text)

    def _scan(self, text: str) -> None:
        table = ""
        for number, line in enumerate(text.split("\n"), start=1):
            if match := _TABLE.match(line):
                table = re.sub(r"[\"'\s]", "", match["name"])
                self._keys.setdefault((table, ""), number)
            elif match := _KEY.match(line):
                self._keys.setdefault((table, match["name"].strip("\"'")), number)
            for string in _STRING.finditer(line):
                self._strings[string[1] or string[2] or ""].append(number)

    def table(self, *keys: str) -> dict[str, Any]:
        """The table at a path of keys; empty if there is none."""
        value: object = self.value
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    def location(self, table: str, key: str = "") -> Location:
        """Where a key of a table stands, or the table; the file's first line if neither was found."""
        return Location(self.file, self._keys.get((table, key)) or self._keys.get((table, "")) or 1)

    def location_of(self, string: str, after: Location) -> Location:
        """Where a string stands on the line `after` or below; `after` itself if it was not found."""
        lines = self._strings.get(string, [])
        index = bisect_left(lines, after.line)
        return Location(self.file, lines[index]) if index < len(lines) else after
