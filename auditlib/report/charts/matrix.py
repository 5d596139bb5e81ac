"""Rows against columns, each cell a mark: what stands in what relation to what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas

_HEIGHT = 24.0
_ANGLE = 38.0
_ACROSS, _UP = math.cos(math.radians(_ANGLE)), math.sin(math.radians(_ANGLE))
"""How far a slanted heading goes, as shares of its length."""
_WIDEST = 92.0
"""The width of a cell at most, unless its text takes more."""
_BRIEF = (16, 20)
"""Rows and columns of a picture in brief."""
_LEAST = 640.0
"""The width of the smallest one: a slide shows all as wide as itself."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a cell shows: a shape (`dot`, `ring`, `cross`, `dash`) or a short text, on the ground of a tone.

    `view` names the findings that the page shows for the cell: an area and a severity, as `cicd-high`.
    """

    shape: str = ""
    tone: str = ""
    text: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the cells are: the left edge, the top edge, a cell's width, and whether headings are slanted above them."""

    left: float
    top: float
    cell: float
    slanted: bool


def draw(
    rows: Sequence[str],
    columns: Sequence[str],
    marks: Mapping[tuple[int, int], Mark],
    legend: Sequence[tuple[Mark, str]] = (),
) -> Canvas:
    """The picture; `marks` are by row and column, cells without one stay empty. The legend tells of those shown.

    A large one has a brief one, of its first rows and the columns that have a mark there.
    """
    canvas = _drawn(rows, columns, marks, legend)
    if canvas.is_large:
        canvas.brief = _drawn(*_first(rows, columns, marks), legend), _left_out(len(rows), _BRIEF[0])
    return canvas


def _first(
    rows: Sequence[str], columns: Sequence[str], marks: Mapping[tuple[int, int], Mark]
) -> tuple[Sequence[str], Sequence[str], Mapping[tuple[int, int], Mark]]:
    most_rows, most_columns = _BRIEF
    kept = sorted({column for row, column in marks if row < most_rows})[:most_columns]
    shown = {
        (row, kept.index(column)): mark for (row, column), mark in marks.items() if row < most_rows and column in kept
    }
    return rows[:most_rows], [columns[column] for column in kept], shown


def _left_out(number: int, most: int) -> str:
    return f"The first {most} of {number} rows are shown." if number > most else "The first columns are shown."


def _drawn(
    rows: Sequence[str],
    columns: Sequence[str],
    marks: Mapping[tuple[int, int], Mark],
    legend: Sequence[tuple[Mark, str]],
) -> Canvas:
    left = min(max(map(measuring.width, rows)), measuring.LABEL) + 16
    heading = min(max(map(measuring.width, columns)), measuring.LABEL)
    legend = [(mark, meaning) for mark, meaning in legend if mark in marks.values()]
    widest = max([_WIDEST, *(measuring.width(mark.text, bold=True) + 14 for mark in marks.values())])
    cell = min(max((WIDTH - left - heading * _ACROSS) / len(columns), 26.0), widest)
    slanted = heading + 8 > cell
    frame = _Frame(left, heading * _UP + 20 if slanted else 28.0, cell, slanted)
    bottom = frame.top + len(rows) * _HEIGHT
    right = left + cell * len(columns) + (heading * _ACROSS - cell / 2 if slanted else 0.0)
    needed = max(right, sum(44 + measuring.width(meaning) for _, meaning in legend) + 2)
    canvas = Canvas(bottom + (36 if legend else 4), max(_LEAST, needed + 2))
    _labels(canvas, rows, columns, frame)
    _grounds(canvas, marks, frame)
    for (row, column), mark in marks.items():
        with canvas.part(mark.view and f"words-{mark.view}"):
            _mark(canvas, mark, left + (column + 0.5) * cell, frame.top + (row + 0.5) * _HEIGHT, cell - 6)
    _legend(canvas, legend, bottom + 20)
    return canvas


def _grounds(canvas: Canvas, marks: Mapping[tuple[int, int], Mark], frame: _Frame) -> None:
    for tone, (_, ground) in palette.TONES.items():
        corners = [
            (frame.left + column * frame.cell + 1, frame.top + row * _HEIGHT + 1)
            for (row, column), mark in marks.items()
            if mark.tone == tone and not mark.view
        ]
        canvas.cells(corners, frame.cell - 2, _HEIGHT - 2, ground)
    for (row, column), mark in marks.items():
        if mark.view:
            corner = (frame.left + column * frame.cell + 1, frame.top + row * _HEIGHT + 1)
            with canvas.part(f"view-{mark.view}"):
                canvas.cells([corner], frame.cell - 2, _HEIGHT - 2, palette.TONES[mark.tone][1])


def _labels(canvas: Canvas, rows: Sequence[str], columns: Sequence[str], frame: _Frame) -> None:
    right = frame.left + frame.cell * len(columns)
    for row, name in enumerate(rows):
        y = frame.top + row * _HEIGHT
        canvas.line([(0, y), (right, y)], width=0.6)
        canvas.text(2, y + _HEIGHT / 2, name, room=frame.left - 12)
    bottom = frame.top + len(rows) * _HEIGHT
    canvas.line([(0, bottom), (right, bottom)], width=0.6)
    for column, name in enumerate(columns):
        x = frame.left + (column + 0.5) * frame.cell
        if frame.slanted:
            canvas.text(x, frame.top - 5, name, angle=_ANGLE, room=measuring.LABEL)
        else:
            canvas.text(x, frame.top - 12, name, align="center", room=measuring.LABEL)


def _mark(canvas: Canvas, mark: Mark, x: float, y: float, room: float = 0.0) -> None:
    colour = palette.TONES[mark.tone][0]
    if mark.shape == "dot":
        canvas.dot(x, y, 4.5, fill=colour)
    elif mark.shape == "ring":
        canvas.dot(x, y, 4.2, edge=colour, line=1.6)
    elif mark.shape == "cross":
        canvas.line([(x - 4, y - 4), (x + 4, y + 4)], colour=colour, width=1.8)
        canvas.line([(x - 4, y + 4), (x + 4, y - 4)], colour=colour, width=1.8)
    elif mark.shape == "dash":
        canvas.line([(x - 4, y), (x + 4, y)], colour=colour, width=1.8)
    if mark.text:
        canvas.text(x, y, mark.text, align="center", bold=True, colour=colour, room=room)


def _legend(canvas: Canvas, legend: Sequence[tuple[Mark, str]], y: float) -> None:
    x = 2.0
    for mark, meaning in legend:
        canvas.cells([(x, y - 8)], 18, 16, palette.TONES[mark.tone][1])
        _mark(canvas, mark, x + 9, y)
        canvas.text(x + 25, y, meaning, colour=palette.MUTED)
        x += 44 + measuring.width(meaning)
