"""The lines behind every finding, with the secrets in them masked."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from auditlib.model import Finding, Location
from auditlib.source import Source, Unreadable

CONTEXT = 2
"""Lines shown before and after the marked ones."""
LINE_LIMIT = 300
"""Characters of a line that are shown; a minified file is one line."""
MARKED_LIMIT = 12
"""Lines of a place that are shown; a whole service can be long."""


class Excerpt(Struct, frozen=True):
    """A few lines of a file. `lines` are (number, text, marked); secrets in the text are masked."""

    file: str
    lines: tuple[tuple[int, str, bool], ...]


def collect(source: Source, findings: Iterable[Finding]) -> dict[Location, Excerpt]:
    """The excerpt of every place that the findings name; places whose file can't be read are left out."""
    lines_of: dict[str, list[str]] = {}
    excerpts: dict[Location, Excerpt] = {}
    for finding in findings:
        places = [(finding.location, CONTEXT), *((related.location, 0) for related in finding.related)]
        for place, context in places:
            if place.file not in lines_of:
                lines_of[place.file] = _lines(source, place.file)
            if place.line <= len(lines_of[place.file]) and (context or place not in excerpts):
                excerpts[place] = _excerpt(lines_of[place.file], place, context)
    return excerpts


def _lines(source: Source, file: str) -> list[str]:
    """The lines of a file, masked as a whole and before they are cut, so that no half of a secret stays."""
    try:
        return source.masked_lines(file)
    except Unreadable:
        return []


def _excerpt(lines: list[str], place: Location, context: int) -> Excerpt:
    last = min(place.last_line, place.line + MARKED_LIMIT - 1)
    first_shown, last_shown = max(1, place.line - context), min(len(lines), last + context)
    return Excerpt(
        place.file,
        tuple(
            (number, lines[number - 1][:LINE_LIMIT], place.line <= number <= last)
            for number in range(first_shown, last_shown + 1)
        ),
    )
