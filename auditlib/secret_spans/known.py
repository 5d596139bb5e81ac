"""Finds words that are known already, wherever they stand; there may be hundreds of thousands, learnt in between."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ahocorasick_rs import AhoCorasick

Span = tuple[int, int]


class KnownWords:
    """Words that are looked for in many texts while more of them come to be known.

    A search tree can't grow, and to build one of all words for each new word would take time by the square of their
    number. So there are several, each at least twice as large as the next one.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._new = list(words)
        self._trees: list[tuple[list[str], AhoCorasick]] = []

    def add(self, word: str) -> None:
        """Know one more word."""
        self._new.append(word)

    def spans(self, text: str) -> list[Span]:
        """Where the words stand in a text, of those that begin at one place the longest."""
        if self._new:
            self._grow()
        found = (tree.find_matches_as_indexes(text) for _, tree in self._trees)
        return [(start, end) for _, start, end in chain.from_iterable(found)]

    def _grow(self) -> None:
        """A tree of the new words, and of those of all trees that are not twice as large."""
        import ahocorasick_rs  # here, so that what never masks never pays for it

        words, self._new = self._new, []
        while self._trees and len(self._trees[-1][0]) < 2 * len(words):
            words = self._trees.pop()[0] + words
        longest = ahocorasick_rs.MatchKind.LeftmostLongest
        self._trees.append((words, ahocorasick_rs.AhoCorasick(words, matchkind=longest)))
