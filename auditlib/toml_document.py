"""A TOML file from anybody, whose mistakes are told with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from auditlib import nearest
from auditlib.errors import UsageError


class TomlDocument:
    """The text of a TOML file under the name by which messages call it."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text

    def parse(self) -> dict[str, Any]:
        """What the file says. Raises UsageError, with the line, if it is no TOML."""
        import tomllib  # here, as most repositories have nothing to parse

        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            place = line[1] if line else max(1, len(self.text.splitlines()))
            raise UsageError(f"{self.file}:{place}: is not valid TOML: {error}") from None
        except RecursionError:
            raise UsageError(f"{self.file}:1: is nested too deep") from None

    def line_of(self, word: str, after: int = 0) -> int:
        """The first line below `after` that has `word`, since TOML's reader keeps no positions."""
        pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        lines = self.text.splitlines()
        return next((number for number, line in enumerate(lines, 1) if number > after and pattern.search(line)), 1)

    def error(self, word: str, problem: str, after: int = 0) -> UsageError:
        """What is wrong at the first line below `after` that has `word`."""
        return UsageError(f"{self.file}:{self.line_of(word, after)}: {problem}")

    def check_keys(self, table: Any, known: Iterable[str], noun: str = "setting", after: int = 0) -> None:
        """Raise UsageError for anything but a table, and for the first key that is not known."""
        if not isinstance(table, dict):
            raise UsageError(f"{self.file}:{after or 1}: a table is expected")
        names = list(known)
        for key in table:
            if key not in names:
                hint = nearest.hint(key, names, f"there are {', '.join(names)}")
                raise self.error(key, f"there is no {noun} {key!r}; {hint}", after)
