"""Regular expressions that are compiled when they are first used, and words that are looked for together.

The program knows several hundred expressions, and a repository asks for less than half. Compiling all of them took more
than a third of the program's start.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick


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


_PART = 100_000
_LONGEST_TEXT = 1_000_000
"""Characters of a text in which all words are looked for; code is shorter."""


class Words:
    """Words of which a text may hold one. However many they are, a look takes the time of ten single searches."""

    def __init__(self, *words: str) -> None:
        self._words = words
        self._longest = max(map(len, words))

    def any_in(self, text: str) -> bool:
        """Whether one of the words stands in a text; all that a part of it holds are found, so a part is bounded."""
        find = self._tree.find_matches_as_indexes
        return any(find(text[begin : begin + _PART + self._longest]) for begin in range(0, len(text), _PART))

    def found_in(self, text: str) -> frozenset[str]:
        """Those of the words that stand in a text, also where they overlap."""
        find = self._tree.find_matches_as_indexes
        return frozenset(self._words[index] for index, _, _ in find(text[:_LONGEST_TEXT], overlapping=True))

    @cached_property
    def _tree(self) -> AhoCorasick:
        import ahocorasick_rs  # here, so that what never looks never pays for it

        return ahocorasick_rs.AhoCorasick(self._words)


_LONGEST = 200
_REPEATED_GROUP = regex(r"[*+}|].*\)[*+{]", re.S)
_ENDLESS = regex(r"[*+]|,\}")
_MOST = 5
"""Repetitions without an end in one alternative: each may multiply the time by the length of the text."""


def is_quick(expression: str) -> bool:
    """Whether an expression that a repository holds may be tried on a short text: it is bound to end soon.

    In doubt it isn't. A group that is repeated, and in which something is repeated or chosen, takes exponential time.
    """
    if len(expression) > _LONGEST or _REPEATED_GROUP.search(expression):
        return False
    return all(len(_ENDLESS.findall(each)) <= _MOST for each in expression.split("|"))
