"""Regular expressions that are compiled when they are first used.

The program knows several hundred of them, and a repository asks for less than half. Compiling all of them took more
than a third of the program's start.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, cast


def regex(text: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` answers, compiled at its first use; a mistake in `text` shows there too."""
    return cast("re.Pattern[str]", _Regex(text, flags))


class _Regex:
    """Takes each attribute over from the compiled expression when it is first asked for: later uses are direct."""

    def __init__(self, text: str, flags: int) -> None:
        self._written = (text, flags)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(*self._written)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._compiled, name)
        setattr(self, name, attribute)
        return attribute
