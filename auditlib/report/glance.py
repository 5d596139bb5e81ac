"""What a slide shows of blocks: the sentence that matters, one thing to look at, and the places behind it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditlib.report import wording
from auditlib.report.blocks import Bars, Block, Column, Findings, Panel, Picture, Prose, Table

ROWS = 8
"""Rows of a table that can be read from the back of a room."""
REASONS = 6
SCALE = 0.8
"""How far a picture may be shrunk; its texts are 11 pixels high, and a slide is shown larger than it is laid out."""
_ROOM = (1152.0, 480.0)
"""What a slide has for a picture."""
_FILES = 6
_LINES = 8


@dataclass(frozen=True, slots=True)
class Glance:
    """Blocks cut down to a slide. `lead` says what there is to see, `note` what the slide leaves out."""

    lead: str
    facts: Panel | None
    main: Block | None
    note: str
    evidence: tuple[str, ...]
    """Files with their lines, each as `compose.yaml, lines 3 and 14`."""


def glance(blocks: Sequence[Block]) -> Glance:
    """The slide that these blocks make."""
    evidence = tuple(_by_file(place for block in blocks for place in _places(block)))
    facts = next((block for block in blocks if isinstance(block, Panel) and block.kind == "facts"), None)
    shown = [block for block in blocks if not isinstance(block, Prose) and block is not facts]
    if not shown:
        said = " ".join(block.text for block in blocks if isinstance(block, Prose))
        return Glance(said, facts, None, "", evidence)
    lead, main, note = _condensed(shown[0])
    more = len([block for block in shown[1:] if block.kind == shown[0].kind])
    if more:
        note = f"{note} {wording.count(more, 'more picture')} of this kind in the report.".strip()
    return Glance(lead, facts, main, note, evidence)


def _condensed(block: Block) -> tuple[str, Block, str]:
    """The lead, the block without what a slide has no room for, and a note on what was left out."""
    match block:
        case Picture():
            return _picture(block)
        case Bars():
            return block.alternative, replace(block, table=None), ""
        case Table():
            return block.caption, _first_rows(block), _rest(len(block.rows), ROWS, "row")
        case Findings():
            return "", replace(block, faults=block.faults[:ROWS]), _rest(len(block.faults), ROWS, "kind of finding")
        case Panel():
            return _panel(block)
    return "", block, ""


def _panel(block: Panel) -> tuple[str, Block, str]:
    match block.kind:
        case "backlog":
            return _backlog(block.data)
        case "checklist":
            return block.data["summary"], block, ""
        case "level":
            data = {**block.data, "reasons": block.data["reasons"][:REASONS]}
            return "", replace(block, data=data), _rest(len(block.data["reasons"]), REASONS, "reason")
    return "", block, ""


def _picture(block: Picture) -> tuple[str, Block, str]:
    """The picture, or the first rows of its table where it is too large to be read on a slide."""
    if block.table and not _legible(block.svg):
        drawn = "Drawn in the report, where there is room for all of it."
        return (
            block.alternative,
            _first_rows(block.table),
            f"{_rest(len(block.table.rows), ROWS, 'row')} {drawn}".strip(),
        )
    note = "" if block.caption.startswith(block.alternative) else block.caption
    return block.alternative, replace(block, table=None), note


def _legible(svg: str) -> bool:
    """Whether a picture's texts can still be read when all of it is on a slide."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return size is None or min(_ROOM[0] / float(size[1]), _ROOM[1] / float(size[2])) >= SCALE


def _first_rows(table: Table) -> Table:
    return replace(table, rows=table.rows[:ROWS], folded=False)


def _rest(total: int, limit: int, noun: str) -> str:
    return f"{wording.count(total - limit, f'more {noun}')} in the report." if total > limit else ""


def _backlog(data: Any) -> tuple[str, Table, str]:
    """The backlog as one ranked table, whatever the themes."""
    items = sorted((item for _, members in data for item in members), key=lambda item: item.rank)
    columns = (Column("", "number"), Column("Item"), Column("Severity", "severity"), Column("Effort"),
               Column("Closes", "number"))  # fmt: skip
    rows = tuple((item.rank, item.title, item.severity, str(item.effort), len(item.findings)) for item in items[:ROWS])
    closed = sum(len(item.findings) for item in items[:ROWS])
    lead = (
        f"{len(rows)} of {wording.count(len(items), 'item')}, the most risk for the least effort first. "
        f"Together they close {wording.count(closed, 'finding')}."
    )
    return lead, Table("The backlog", columns, rows), ""


def _places(block: Block) -> Iterator[str]:
    """The places that a block names, as `file:line`, the most important first."""
    match block:
        case Picture(table=Table() as table) | (Table() as table):
            columns = [number for number, column in enumerate(table.columns) if column.heading == "Place"]
            yield from (str(row[number]) for row in table.rows for number in columns)
        case Findings():
            for fault in block.faults:
                yield from (str(instance.finding.location) for instance in fault.instances)
        case Panel(kind="verdict"):
            yield from (str(place) for item in block.data["first"] for place in item.places)
        case Panel(kind="checklist"):
            for answer in block.data["answers"]:
                yield from (str(item.location) for item in (*answer["findings"], *answer["records"]))
        case Panel(kind="backlog"):
            items = sorted((item for _, members in block.data for item in members), key=lambda item: item.rank)
            yield from (str(place) for item in items[:ROWS] for place in item.places)


def _by_file(places: Iterable[str]) -> Iterator[str]:
    """Places that share a file as one entry, in the order in which the files are first named."""
    lines: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for place in places:
        file, _, line = place.rpartition(":")
        if file and line.isdecimal():
            lines[file][int(line)] = None
    for file, numbers in list(lines.items())[:_FILES]:
        noun = "line" if len(numbers) == 1 else "lines"
        yield f"`{file}`, {noun} {wording.listing(map(str, sorted(numbers)), _LINES)}"
    if len(lines) > _FILES:
        yield f"{wording.count(len(lines) - _FILES, 'more file')}, named in the report"
