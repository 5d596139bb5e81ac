"""Statements in Markdown. What comes from a repository is shown as text or code, and never means anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditlib.audit import Audit
from auditlib.model import Area, Finding, Location, Severity, Status
from auditlib.patterns import regex
from auditlib.report import wording

LIMIT = 6
"""Findings of a chapter that are written out; a pull request takes 65,536 characters."""

_SIGNS = regex(r"([\\`*\[\]<>|~&]|(?<!\w)_|_(?!\w))")
_CALLS = regex(r"(@)(?=\w)|(#)(?=\d)")
_PARTS = regex(r"`([^`]+)`")


def text(words: object) -> str:
    """Words on one line; what stands between backticks becomes code, and every sign of Markdown a plain one.

    A person isn't called by `@name`, nor an issue linked by `#12`: what follows the sign is set off invisibly.
    """
    pieces = _PARTS.split(_one_line(words))
    return "".join(code(piece) if number % 2 else _plain(piece) for number, piece in enumerate(pieces))


def _plain(words: str) -> str:
    return _CALLS.sub(r"\1\2&#8203;", _SIGNS.sub(r"\\\1", words))


def code(name: object) -> str:
    """A name as code, whatever it holds."""
    line = _one_line(name)
    runs = [len(run) for run in re.findall("`+", line)]
    fence = "`" * (max(runs, default=0) + 1)
    return f"{fence} {line} {fence}" if runs else f"{fence}{line or ' '}{fence}"


def _one_line(words: object) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in str(words)).split())


def codes(names: Iterable[object], limit: int = 6) -> str:
    """`a`, `b` and 3 more, each name as code."""
    items = [code(name) for name in names]
    return wording.listing(items, limit)


def place(location: Location) -> str:
    """A file and its line."""
    return code(location)


def statement(lead: str, *sentences: str) -> str:
    """An entry of a chapter; the sentences are Markdown already."""
    said = " ".join(sentence for sentence in sentences if sentence)
    return f"- **{lead}**" + (f": {said}" if said else "")


def seen(finding: Finding) -> str:
    """What a finding says, and where."""
    return f"{text(finding.message.rstrip('.'))} ({place(finding.location)})."


def opened(audit: Audit, area: Area | None = None) -> list[Finding]:
    """The open findings, or an area's, the worst first."""
    return [item for item in audit.findings if item.status is Status.OPEN and area in (None, item.area)]


def findings(audit: Audit, area: Area) -> Iterator[str]:
    """The findings of an area by kind, the worst first, each with its place and what to do."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in opened(audit, area):
        if finding.severity > Severity.INFO:
            by_rule.setdefault(finding.rule, []).append(finding)
    for members in list(by_rule.values())[:LIMIT]:
        yield _entry(members)
    rest = sum(len(members) for members in list(by_rule.values())[LIMIT:])
    if rest:
        yield f"- …and {wording.count(rest, 'finding')} of lesser weight, in the report."


def _entry(members: list[Finding]) -> str:
    first = members[0]
    more = f" So at {codes((item.location for item in members[1:]), 4)}." if members[1:] else ""
    return statement(
        f"{text(first.title)} ({first.severity})",
        f"{seen(first)}{more}",
        f"*{text(first.recommendation)}*",
    )
