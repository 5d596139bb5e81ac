"""A finding's first step as an edit of its own lines: what is shown is what somebody would write there.

An edit that doesn't fit the lines as they stand is no edit: it would break the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile

from msgspec import Struct

from auditlib.excerpts import Excerpt
from auditlib.model import Finding, Location
from auditlib.patterns import regex

_KEY = regex(r"\s*(?:- )?(?!- )[^\s#'\"{\[&*][^#{\[&*]*:(?: +&\S+)?\s*(?:#.*)?")
"""A line that is only the key of a mapping, which the lines below it hold."""
_LEFT_COMMA = regex(r"(?P<opens>[{\[])[ \t]*,[ \t]*|,[ \t]*(?=[,}\]])")
"""What a member that is taken out of a flow mapping or list leaves behind."""
_TAGGED = regex(r"(?:^|[\s:,\[{])!!\w+\s+[\"']?$")
"""What ends with a tag of YAML (`!!binary`), which says how to read what stands there, and so not what is to stand."""


class Edit(Struct, frozen=True):
    """Lines, without the line break of the last one: those that stay, are taken out, and are written instead."""

    kept: str = ""
    removed: str = ""
    added: str = ""


def edit(finding: Finding, excerpt: Excerpt | None) -> Edit | None:
    """The edit that a finding's `change` makes of the lines of its excerpt; None if there is none that fits."""
    return _made(finding.change, excerpt)


def everywhere(finding: Finding, excerpts: Mapping[Location, Excerpt]) -> tuple[tuple[Location, Edit], ...]:
    """The edit at the finding's own place, and at each further one that has the fault in words that an edit fits.

    What a mapping lacks is said of the first alone: another service may lack something else.
    """
    usual = finding.change if finding.change[0] else ("", "")
    members = {item.location: item.change if any(item.change) else usual for item in finding.related if item.member}
    changes = {finding.location: finding.change, **{place: each for place, each in members.items() if any(each)}}
    found = ((place, _made(change, excerpts.get(place))) for place, change in changes.items())
    return tuple((place, lines) for place, lines in found if lines is not None)


def _made(change: tuple[str, str], excerpt: Excerpt | None) -> Edit | None:
    old, new = change
    if excerpt is None or not any(change):
        return None
    return _replaced(excerpt, old, new) if old else _extended(excerpt, new)


def _replaced(excerpt: Excerpt, old: str, new: str) -> Edit | None:
    pattern = re.compile(_edge(r"(?<![\w.$])(?<!\$\{)", old[0]) + re.escape(old) + _edge(r"(?![\w:])", old[-1]))
    lines = [text for _, text, marked in excerpt.lines if marked and len(pattern.findall(text)) == 1]
    if not lines or any(_TAGGED.search(line[: match.start()]) for line in lines if (match := pattern.search(line))):
        return None
    written = [pattern.sub(lambda _: new, line) for line in lines]
    if not new:
        written = [_LEFT_COMMA.sub(lambda match: match["opens"] or "", line) for line in written]
    return Edit(removed="\n".join(lines), added="\n".join(line.rstrip() for line in written if line.strip()))


def _edge(boundary: str, character: str) -> str:
    """Where a word or number begins or ends, no longer one holds it."""
    return boundary if character.isalnum() else ""


def _extended(excerpt: Excerpt, new: str) -> Edit | None:
    """New members of the mapping whose key stands at the first marked line, in the depth of its others."""
    key, *below = (text for number, text, _ in excerpt.lines if number >= _first(excerpt))
    member = next((text for text in below if text.strip() and not text.lstrip().startswith("#")), "")
    if not _KEY.fullmatch(key) or _depth(member) <= _depth(key) or member.lstrip().startswith("- "):
        return None
    return Edit(kept=key, added="\n".join(member[: _depth(member)] + line for line in new.split("\n")))


def _first(excerpt: Excerpt) -> int:
    return next(number for number, _, marked in excerpt.lines if marked)


def _depth(line: str) -> int:
    return len(list(takewhile(str.isspace, line)))
