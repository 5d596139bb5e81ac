"""Finds the lines in which a document says how much memory the host needs at least."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditlib.inventory.document import Heading, Mention
from auditlib.model import Location
from auditlib.patterns import regex

_MEMORY = r"(?:RAM|memory|Arbeitsspeicher|m[ée]moire|mem[oó]ria|ОЗУ|内存|メモリ)"
_AMOUNT = r"\d{1,4}(?:[.,]\d)? ?Gi?B?"
_DIGIT = regex(r"\d ?[Gg]")
_ROW = regex(
    rf"^[ \t>*|+-]{{0,9}}[*_`]{{0,3}}{_MEMORY}[*_`]{{0,3}}[ \t]{{0,20}}[:|：][*_` \t~≥>]{{0,9}}(?P<amount>{_AMOUNT})\b",
    re.I,
)
"""`- RAM: 4GB`, `| **RAM** | 8 GB | 16 GB |`."""
_BEFORE = regex(
    rf"(?:\bminimum\b|\bat least\b|\bmin\.|\bmindestens\b|最低|минимальн\w{{0,5}})[^|.;\n\d]{{0,40}}"
    rf"(?P<amount>{_AMOUNT})\s?(?:of )?{_MEMORY}",
    re.I,
)
_AFTER = regex(rf"\b(?P<amount>{_AMOUNT}) (?:of )?{_MEMORY}[ (]{{1,2}}(?:minimum|at least|min\b)", re.I)
_REQUIREMENTS = regex(
    r"requirement|prerequisite|hardware|server|\bsystem\b|\bhost|\bvps\b|minimum|sizing|voraussetzung|anforderung|"
    r"требован|pr[ée]requis|requisit|要求|需求|配置|環境",
    re.I,
)


def mentions(place: Location, line: str, headings: Sequence[Heading]) -> Iterator[Mention]:
    """The amount that a line names, where it or the heading above says that a host needs it."""
    if not _DIGIT.search(line):
        return
    row = _ROW.match(line) if headings and _REQUIREMENTS.search(headings[-1].text) else None
    if found := row or _BEFORE.search(line) or _AFTER.search(line):
        yield Mention("memory", found["amount"], place)
