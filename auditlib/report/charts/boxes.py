"""Boxes in columns and the links between them, and how those that are alike become one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from auditlib.report import wording

COLUMNS = 5
"""Columns of a picture in brief."""
_NAMED = 3
"""Names that a group shows."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box in a column: a name, further lines below it, a tone for its edge, dashed if it is optional."""

    id: str
    column: int
    name: str
    lines: tuple[str, ...] = ()
    tone: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A line from one box to another."""

    source: str
    target: str
    tone: str = ""
    dashed: bool = False


def grouped(
    boxes: Sequence[Box], links: Sequence[Link], nouns: Sequence[str], columns: int | None = None
) -> tuple[list[Box], list[Link]]:
    """One box for all of a column that are alike in tone and frame, and joined or not; `nouns` say what they are.

    Of no more than `columns`, the last holds those after it as well.
    """
    ends = {end for link in links for end in (link.source, link.target)}
    groups: defaultdict[tuple[int, str, bool, bool], list[Box]] = defaultdict(list)
    for box in boxes:
        column = min(box.column, columns - 1) if columns else box.column
        groups[column, box.tone, box.dashed, box.id in ends].append(replace(box, column=column))
    merged = {box.id: members[0].id for members in groups.values() for box in members}
    joined = {replace(link, source=merged[link.source], target=merged[link.target]) for link in links}
    pairs = sorted(joined, key=lambda link: (link.source, link.target, link.tone, link.dashed))
    return [_group(members, nouns) for members in groups.values()], [
        link for link in pairs if link.source != link.target
    ]


def _group(members: Sequence[Box], nouns: Sequence[str]) -> Box:
    """One box for all, with a few of their names and the lines that all of them have."""
    first = members[0]
    if len(members) == 1:
        return first
    count = wording.count(len(members), nouns[min(first.column, len(nouns) - 1)])
    shown = [box.name for box in members[:_NAMED]]
    rest = [f"and {len(members) - _NAMED} more"] if len(members) > _NAMED else []
    same = [line for line in first.lines if all(line in box.lines for box in members)]
    return replace(first, name=count, lines=(*shown, *rest, *same))
