"""Where a long shell text is cut in parts that are parsed one by one: between commands, as far as its lines tell.

Follows https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_07_04 (Here-Document).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from auditlib.patterns import regex

_HERE_DOCUMENT = regex(r"(?<!<)<<-?[ \t]?[\"'\\]?([A-Za-z_]\w{0,60})")
_CLOSING = ("}\n", "};\n")


def parts(text: str, limit: int) -> Iterator[str]:
    """The text in parts of whole lines and about `limit` characters: after a function's end, else before what isn't
    indented, else where no line goes on in the next one. A here-document stays whole where it can.
    """
    start, bodies = 0, _bodies(text) if len(text) > limit else []
    while len(text) - start > limit:
        end = start + limit
        cut = _best(text, start + limit // 2, end, bodies) or text.rfind("\n", start, end) + 1 or end
        yield text[start:cut]
        start = cut
    yield text[start:]


def _best(text: str, first: int, end: int, bodies: list[tuple[int, int]]) -> int:
    """The last place between two that is best to cut at; 0 if there is none."""
    ranked: dict[int, int] = {}
    for line, after in _lines(text, text.find("\n", first, end) + 1 or end, end):
        index = bisect_right(bodies, (after, 0)) - 1
        if index < 0 or not bodies[index][0] < after < bodies[index][1]:
            ranked[_rank(line, text[after : after + 1])] = after
    ranked.pop(0, None)
    return ranked[max(ranked)] if ranked else 0


def _rank(line: str, following: str) -> int:
    """How good it is to cut behind a line."""
    if line.endswith("\\\n"):
        return 0
    if line in _CLOSING:
        return 3
    return 2 if line == "\n" and (following.isalnum() or following in ("_", "#")) else 1


def _bodies(text: str) -> list[tuple[int, int]]:
    """Where here-documents begin and where their last lines end, in order."""
    lines: defaultdict[str, list[int]] = defaultdict(list)
    for line, after in _lines(text, 0, len(text)):
        lines[line.strip()].append(after)
    found: list[tuple[int, int]] = []
    for match in _HERE_DOCUMENT.finditer(text):
        ends = lines.get(match[1], [])
        index = bisect_right(ends, text.find("\n", match.end()) + 1)
        if index < len(ends) and (not found or match.start() >= found[-1][1]):
            found.append((match.start(), ends[index]))
    return found


def _lines(text: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """The whole lines between two places, each with where it ends."""
    while after := text.find("\n", start, end) + 1:
        yield text[start:after], after
        start = after
