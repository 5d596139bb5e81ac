"""The first step of work that closes several findings: where it begins, and in the same breath what else it closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib.model import Finding
from auditlib.phrases import counted, first_sentence, listed

LENGTH = 160
"""Characters that a step has, where its instruction leaves room for more than itself; the findings tell the rest."""
_NAMED = (5, 4, 3, 2)
"""How many names are listed: the most for which there is room."""


def of(members: Sequence[Finding]) -> str:
    """The step for findings of one rule, the most important first."""
    first = members[0]
    told = first_sentence(first.recommendation)
    ends = list(_concerned(members) if "/" in first.rule else _others(members))
    written = [f"{told}{end}." for end in ends]
    return next((step for step in written if len(step) <= LENGTH), written[-1])


def _concerned(members: Sequence[Finding]) -> Iterator[str]:
    """Where advice is to be followed that names nothing itself, as a scanner's is the same for any service and file."""
    alike = [member for member in members if member.recommendation == members[0].recommendation]
    names, files = [name for member in alike for name in member.subjects], _files(alike)
    rest = next(_others([alike[0], *(member for member in members if member not in alike)]))
    if names:
        yield from (f" ({listed(names, limit)} in {listed(files, limit)}){rest}" for limit in _NAMED)
    yield from (f" ({listed(files, limit)}){rest}" for limit in _NAMED)


def _others(members: Sequence[Finding]) -> Iterator[str]:
    """What the item closes beside the first finding, of which the instruction tells: by names, by files, by number."""
    if len(members) == 1:
        yield ""
        return
    named = [name for member in members for name in member.subjects]
    files = _files(members)
    if len(set(named)) == len(members):
        yield from (f"; then {listed(named[1:], limit)}" for limit in _NAMED)
    elif len(files) == len(members):
        yield from (f"; then {listed(files[1:], limit)}" for limit in _NAMED)
    yield f"; then {counted(len(members) - 1, 'more place')}"


def _files(members: Sequence[Finding]) -> list[str]:
    """The files in which the fault is, the most important first."""
    related = (item.location.file for member in members for item in member.related if item.member)
    return list(dict.fromkeys([*(member.location.file for member in members), *related]))
