"""Commands of a shell as they are written again, in advice."""

from __future__ import annotations

from collections.abc import Iterable

from auditlib.patterns import regex

_OPEN = regex(r"[$*?\[\s]")
_NAME = regex(r"\$\{?([A-Za-z_]\w*)")


def line(words: Iterable[str], expands: Iterable[str] | None = None) -> str:
    """A command, its words in the quotes that keep the shell from splitting them or taking patterns for files.

    With the variables that the shell expands in it, a word with others keeps the quotes that leave them alone.
    """
    known = None if expands is None else {*expands}
    return " ".join("\\;" if word == ";" else _quoted(word, known) for word in words)


def _quoted(word: str, known: set[str] | None) -> str:
    names = _NAME.findall(word)
    if known is not None and names and known.isdisjoint(names) and "'" not in word:
        return f"'{word}'"
    return f'"{word}"' if _OPEN.search(word) else word
