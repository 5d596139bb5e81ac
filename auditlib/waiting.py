"""Loops of a shell that wait until something answers, and go on where it never did."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib.patterns import regex

_LONGEST_LINE = 500
_LONGEST_LOOP = 25
_MOST_LINES = 3_000
_MOST_LOOPS = 30
_HEAD = regex(
    r"^\s*(?:for\s+(?P<each>\w+)\s+in\s+(?:\$\(seq\b|\{1?\d\.\.|`seq\b|1 2 3)|"
    r"while\s+(?:\[\[?|\(\()\s*[\"']?\$?\{?(?P<counter>\w+))"
)
"""A loop that ends by itself: over numbers, or while a counter is below one."""
_OPENS = regex(r"^\s*(?:for|while|until)\b")
_CLOSES = regex(r"^\s*done\b(?P<rest>.*)$")
_PROBES = regex(r"\b(?:curl|wget|pg_isready|nc|redis-cli|mysqladmin|mongosh|docker\s+(?:inspect|exec)|nslookup)\b")
_ENDS = regex(r"\b(?:exit|return|die|fail\w*|abort|false|raise|throw)\b")
_FLAG = regex(r"^\s*\w+=[\"']?(?:true|false|yes|ok|0|1|ready|healthy|success)[\"']?\s*(?:;|$)|\b\w+=\$\((?!\()")
_DECIDES = regex(r"^\s*(?:if|case|test|\[\[?|!)(?=\s)|\|\||&&")
_ADDRESS = regex(r"(?:https?://|\$\{?\w*(?:URL|BASE|HOST|API|ADDR)\w*\}?(?::\d+)?/)[^\s\"'|;&>)]+")
_NEAR = 4


class Wait(Struct, frozen=True):
    """A loop that passes: the number of the line that asks, from 1, and what it asks."""

    line: int
    asked: str


def passing(text: str) -> Iterator[Wait]:
    """The loops of a text after which nothing asks whether what they waited for has come."""
    if "break" not in text or "sleep" not in text:
        return
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()[:_MOST_LINES]]
    heads = ((start, head) for start, line in enumerate(lines) if (head := _HEAD.match(line)))
    for start, head in itertools.islice(heads, _MOST_LOOPS):
        end = _end(lines, start)
        if end and _goes_on(lines, start, end, head["counter"] or head["each"] or ""):
            number, probe = next(
                (index, match) for index in range(start, end) if (match := _PROBES.search(lines[index]))
            )
            found = _ADDRESS.search(lines[number])
            yield Wait(number + 1, found[0] if found else probe[0])


def _end(lines: Sequence[str], start: int) -> int:
    """The line that closes the loop which begins at one; 0 for one that is long, or on one line."""
    depth = 0
    for index in range(start, min(start + _LONGEST_LOOP, len(lines))):
        depth += bool(_OPENS.match(lines[index]))
        if match := _CLOSES.match(lines[index]):
            depth -= 1
            if depth == 0:
                return index if not match["rest"].strip(" ;") else 0
    return 0


def _goes_on(lines: Sequence[str], start: int, end: int, counter: str) -> bool:
    """Whether a loop leaves by `break` when something answers, and what follows can't tell whether it did."""
    body = lines[start + 1 : end]
    asks = [line for line in body if _PROBES.search(line)]
    if not asks or not any("break" in line for line in body) or not any("sleep" in line for line in body):
        return False
    if any(_ENDS.search(line) or _FLAG.search(line) for line in body):
        return False
    after = [line for line in lines[end + 1 :] if line.strip() and not line.lstrip().startswith("#")]
    near = itertools.takewhile(lambda line: not _OPENS.match(line), itertools.islice(after, _NEAR))
    if any(_DECIDES.search(line) or _ENDS.search(line) for line in near):
        return False
    asked = {match[0] for line in asks if (match := _ADDRESS.search(line))}
    again = any("||" not in line and any(address in line for address in asked) for line in after)
    names = f"${counter}", f"${{{counter}}}"
    return not again and not any(_DECIDES.search(line) and any(name in line for name in names) for line in after)
