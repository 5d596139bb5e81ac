"""Commands of a shell as they are written again, in advice."""

from __future__ import annotations

from collections.abc import Iterable

from auditlib.patterns import regex

_OPEN = regex(r"[$*?\[\s]")


def line(words: Iterable[str]) -> str:
    """A command, its words in the quotes that keep the shell from splitting them or taking patterns for files."""
    return " ".join("\\;" if word == ";" else f'"{word}"' if _OPEN.search(word) else word for word in words)
