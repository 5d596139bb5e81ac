"""Finds what may be a secret in the lines of an environment file that no program can read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex

Span = tuple[int, int]

_BROKEN = regex(r"^[ \t]*(?:export[ \t]+)?[^\s#=:\"'][^\s=:\"']*[ \t]+(?P<value>[^\s=:\"'#][^=:\"'\n]*?)[ \t]*$", re.M)
"""A name, and after a blank what was meant to be its value: a sign is missing."""


def broken(text: str) -> Iterator[Span]:
    """What follows the first word of a line that is no assignment."""
    return (match.span("value") for match in _BROKEN.finditer(text))
