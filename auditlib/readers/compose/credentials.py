"""The words that a line of a Compose file says are secret: the values and defaults of the credentials that it uses.

A value that Compose puts together shows no longer which variable it came from: of `X: ${A_PASSWORD:-word}` the word is
left, under a name that says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.redaction import is_credential_name, is_secret_value

_INNERMOST = regex(r"(?:\$\{\w{1,80}:?[-+])*+([^${}\n]+)\}*")


class CredentialWords:
    """The secret words of a project's interpolations, by the line that uses them."""

    def __init__(self, variables: tuple[compose.Variable, ...]) -> None:
        self._by_line: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for variable in variables:
            for use in variable.uses if is_credential_name(variable.name) else ():
                self._by_line[use.location.file, use.location.line].update(_words(variable, use))

    def at(self, place: Location | None) -> frozenset[str]:
        """The words of the lines of a place."""
        if place is None or not self._by_line:
            return frozenset()
        lines = range(place.line, place.last_line + 1)
        return frozenset(word for line in lines for word in self._by_line.get((place.file, line), ()))


def _words(variable: compose.Variable, use: compose.Interpolated) -> Iterator[str]:
    """What a credential may be where it is used."""
    innermost = _INNERMOST.fullmatch(use.argument) if use.operator and not use.required else None
    for word in (variable.value, innermost and innermost[1]):
        if word and is_secret_value(variable.name, word, quoted=True):
            yield word
