"""What a slide shows of blocks: the sentence that matters, one thing to look at, and the places behind it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditlib.patterns import regex
from auditlib.report import measuring, wording
from auditlib.report.blocks import Bars, Block, Column, Findings, Panel, Picture, Prose, State, Table

ROWS = 8
"""Rows of a table that can be read from the back of a room."""
_LETTERS = 20.0
"""The size of a table's texts, and the room around each."""
_BETWEEN = 30.0
REASONS = 6
SCALE = 0.8
"""How far a picture may be shrunk; its texts are 11 pixels high, and a slide is shown larger than it is laid out."""
_ROOM = (1152.0, 480.0)
"""What a slide has for a picture."""
_LEAD = 230
"""Characters of the lead, about two lines."""
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
    lead = _first_clauses(lead)
    more = len([block for block in shown[1:] if block.kind == shown[0].kind])
    if more:
        note = f"{note} {wording.count(more, 'more picture')} of this kind in the report.".strip()
    return Glance(lead, facts, main, note, evidence)


def _first_clauses(text: str) -> str:
    """As many whole clauses as there is room for, at least one."""
    clauses = _CLAUSE.split(text)
    while len(clauses) > 1 and len(" ".join(clauses)) > _LEAD:
        clauses.pop()
    return re.sub(r"[;:]$", ".", " ".join(clauses))


_CLAUSE = regex(r"(?<=[.;]) (?=\S)")


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
    """The picture, or where it can't be read on a slide the one in brief, or else the first rows of its table."""
    if block.legible(_ROOM, SCALE) or not (block.brief or block.table):
        note = "" if block.caption.startswith(block.alternative) else block.caption
        return block.alternative, replace(block, table=None), note
    if block.brief and (small := replace(block, svg=block.brief.svg, table=None, brief=None)).legible(_ROOM, SCALE):
        return block.alternative, small, f"{block.brief.note} The report draws all of it."
    table = block.table or Table("", (), ())
    return block.alternative, _first_rows(table), f"{_rest(len(table.rows), ROWS, 'row')} {_DRAWN}".strip()


_DRAWN = "Drawn in the report, where there is room for all of it."


def _first_rows(table: Table) -> Table:
    """The first rows, each on one line: what is too long for its column is shortened."""
    told = replace(table, rows=table.rows[:ROWS], folded=False).told
    natural = [_width(told, number) for number in range(len(told.columns))]
    room = _share(natural, _ROOM[0] - _BETWEEN * len(natural))
    return replace(told, rows=tuple(tuple(_fitted(value, room) for value in row) for row in told.rows))


def _width(table: Table, number: int) -> float:
    """How wide a column would like to be."""
    texts = [table.columns[number].heading, *(str(row[number]) for row in table.rows)]
    return max(measuring.width(text, _LETTERS) for text in texts)


def _share(natural: Sequence[float], room: float) -> float:
    """What each column may take at most, so that all have room together: narrow ones leave theirs to wide ones."""
    left, columns = room, sorted(natural)
    for number, width in enumerate(columns):
        share = left / (len(columns) - number)
        if width > share:
            return share
        left -= width
    return room


def _fitted(value: object, room: float) -> object:
    """A cell whose text has at most this room."""
    text = str(value)
    if measuring.width(text, _LETTERS) <= room:
        return value
    short = measuring.fitted(text, room, _LETTERS)
    return replace(value, text=short) if isinstance(value, State) else short


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
        case Picture(places=places) if places:
            yield from places
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
        case Panel(kind="level"):
            yield from block.data["places"]
        case Panel(kind="backlog"):
            items = sorted((item for _, members in block.data for item in members), key=lambda item: item.rank)
            yield from (str(place) for item in items[:ROWS] for place in item.places)


def _by_file(places: Iterable[str]) -> Iterator[str]:
    """Places that share a file as one entry, in the order in which the files are first named; some have no line."""
    lines: defaultdict[str, set[int]] = defaultdict(set)
    for place in filter(None, places):
        file, _, line = place.rpartition(":")
        if file and line.isdecimal():
            lines[file].add(int(line))
        else:
            lines[place] |= set()
    for file, numbers in list(lines.items())[:_FILES]:
        listed = wording.listing(map(str, sorted(numbers)), _LINES)
        yield f"`{file}`" + (f", {'line' if len(numbers) == 1 else 'lines'} {listed}" if numbers else "")
    if len(lines) > _FILES:
        yield f"{wording.count(len(lines) - _FILES, 'more file')}, named in the report"
