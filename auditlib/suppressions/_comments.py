"""Ignores that stand as comments in the audited files: `# auditlib: ignore[rule-id] until=2027-01-31 reason`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import PurePosixPath

from msgspec import Struct

from auditlib.configuration import Ignore, check_rule
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.source import Source, Unreadable

_WORD = "auditlib: ignore"
_HASH, _SLASHES, _MARKUP = r"#", r"//", r"<!--"
_MARKERS = {
    ".md": _MARKUP, ".html": _MARKUP, ".xml": _MARKUP, ".svg": _MARKUP,
    ".js": _SLASHES, ".jsx": _SLASHES, ".ts": _SLASHES, ".tsx": _SLASHES, ".mjs": _SLASHES, ".cjs": _SLASHES,
    ".jsonc": _SLASHES, ".json5": _SLASHES, ".ini": "[#;]", ".cfg": "[#;]", ".conf": "[#;]",
}  # fmt: skip
_IDS = regex(r"\[([^\]\n]*)\]\s*(.*)")
_UNTIL = regex(r"until=(\S+)\s*(.*)")


class Comment(Struct, frozen=True):
    """An ignore in a file, with the lines for which it holds."""

    ignore: Ignore
    lines: frozenset[int]


class Malformed(Struct, frozen=True):
    """A comment that was meant to be an ignore, and why it is none."""

    location: Location
    problem: str


def read(source: Source, files: Iterable[str], known: Iterable[str]) -> Iterator[Comment | Malformed]:
    """The comments in these files; `known` are the rules that there are."""
    ids = frozenset(known)
    for file in files:
        try:
            if _WORD in source.text(file):
                yield from _in_file(file, source.lines(file), ids)
        except Unreadable:
            continue  # its coverage entry says why


def _in_file(file: str, lines: list[str], known: frozenset[str]) -> Iterator[Comment | Malformed]:
    marker = _MARKERS.get(PurePosixPath(file).suffix.lower(), _HASH)
    pattern = re.compile(rf"(?:^|\s){marker}\s*auditlib: ignore(?P<rest>.*)$")
    for number, line in enumerate(lines, 1):
        found = pattern.search(line) if _WORD in line else None
        if found:
            place = Location(file, number, found.start() + 1)
            held = {number} if line[: found.start()].strip() else {number, _next(lines, number, marker)}
            yield from _parse(found["rest"].removesuffix("-->").strip(), place, frozenset(held), known)


def _next(lines: list[str], number: int, marker: str) -> int:
    """The line below that isn't empty and no comment itself."""
    comment = re.compile(rf"\s*(?:{marker}|$)")
    return next((below for below in range(number + 1, len(lines) + 1) if not comment.match(lines[below - 1])), number)


def _parse(rest: str, place: Location, held: frozenset[int], known: frozenset[str]) -> Iterator[Comment | Malformed]:
    found = _IDS.fullmatch(rest)
    rules = [rule.strip() for rule in found[1].split(",") if rule.strip()] if found else []
    if not found or not rules:
        yield Malformed(place, "it names no rule: write ignore[rule-id]")
        return
    until = _UNTIL.fullmatch(found[2])
    reason = until[2] if until else found[2]
    if not reason.strip():
        yield Malformed(place, "it gives no reason")
        return
    try:
        expires = date.fromisoformat(until[1]) if until else None
    except ValueError:
        yield Malformed(place, "its date is none: write until=2027-01-31")
        return
    for rule in rules:
        problem = check_rule(rule, known)
        yield Malformed(place, problem) if problem else Comment(Ignore(rule, reason, place, expires=expires), held)
