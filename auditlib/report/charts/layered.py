"""Boxes in columns with lines between them: what comes first stands left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditlib.report import palette
from auditlib.report.canvas import WIDTH, Canvas, Point, legend_height
from auditlib.report.charts import layout

_GAP = 48.0
_WIDEST, _NARROWEST = 230.0, 128.0
_ROW_GAP = 14.0
_LINE = 15.0
_MANY_LOOSE = 4
_PER_ROW = 4
_HEADING = 26.0


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


@dataclass(frozen=True, slots=True)
class _Grid:
    """Turns slots into pixels."""

    box_width: float
    box_height: float
    top: float

    def centre(self, slot: layout.Slot) -> Point:
        column, row = slot
        left = column * (self.box_width + _GAP)
        return left + self.box_width / 2, self.top + row * self.pitch

    @property
    def pitch(self) -> float:
        """From one row to the next."""
        return self.box_height + _ROW_GAP

    def route(self, slots: Sequence[layout.Slot]) -> list[Point]:
        """Out of the first box's side, past each column in its lane, to the last box's side."""
        half = self.box_width / 2
        forward = 1 if slots[0][0] <= slots[-1][0] else -1
        (x, y), *between, (end_x, end_y) = [self.centre(slot) for slot in slots]
        lanes = [
            point
            for lane_x, lane_y in between
            for point in ((lane_x - forward * half, lane_y), (lane_x + forward * half, lane_y))
        ]
        if slots[0][0] == slots[-1][0]:
            return [(x + half, y), (x + half + _GAP / 2, (y + end_y) / 2), (end_x + half, end_y)]
        return [(x + forward * half, y), *lanes, (end_x - forward * half, end_y)]


def draw(
    boxes: Sequence[Box],
    links: Sequence[Link],
    headings: Sequence[str] = (),
    legend: Sequence[tuple[str, str]] = (),
    apart: str = "On their own",
) -> Canvas:
    """The picture. Links must lead to boxes that are there; boxes without any stand below, under the words `apart`."""
    loose = _loose(boxes, links)
    joined = [box for box in boxes if box not in loose]
    columns = max([box.column + 1 for box in joined] + [_PER_ROW if loose else 1])
    room = (WIDTH + _GAP) / columns - _GAP
    height = 24 + _LINE * max(len(box.lines) for box in boxes)
    grid = _Grid(min(max(room, _NARROWEST), _WIDEST), height, _HEADING if headings and joined else 0.0)
    arranged = layout.arrange({box.id: box.column for box in joined}, [(link.source, link.target) for link in links])
    middle = grid.top + arranged.rows * grid.pitch
    lower = _Grid(grid.box_width, height, middle + (_HEADING if joined else 0.0))
    bottom = lower.top + math.ceil(len(loose) / columns) * grid.pitch if loose else middle
    canvas = Canvas(bottom + legend_height(legend) + 6, max(WIDTH, columns * (grid.box_width + _GAP) - _GAP))
    _headings(canvas, headings if joined else (), grid)
    numbers = {box.id: number for number, box in enumerate(boxes)}
    for link in links:
        with canvas.part(f"link-{numbers[link.source]}-{numbers[link.target]}"):
            _link(canvas, grid.route(arranged.routes[link.source, link.target]), link)
    for box in joined:
        with canvas.part(f"box-{numbers[box.id]}"):
            _box(canvas, box, *grid.centre(arranged.slots[box.id]), grid)
    if loose and joined:
        canvas.text(0, middle + 11, apart, colour=palette.MUTED)
    for number, box in enumerate(loose):
        _box(canvas, box, *lower.centre((number % columns, number // columns + 0.5)), grid)
    canvas.legend(bottom + 14, legend)
    return canvas


def _loose(boxes: Sequence[Box], links: Sequence[Link]) -> list[Box]:
    """The boxes that no line leads to, if they are too many to stand among the others, or if there is no line."""
    ends = {end for link in links for end in (link.source, link.target)}
    loose = [box for box in boxes if box.id not in ends]
    return loose if len(loose) >= _MANY_LOOSE or not ends else []


def _headings(canvas: Canvas, headings: Sequence[str], grid: _Grid) -> None:
    step = grid.box_width + _GAP
    for column, heading in enumerate(headings):
        canvas.text(column * step, 9, heading, colour=palette.MUTED, room=step - 8)


def _link(canvas: Canvas, points: Sequence[Point], link: Link) -> None:
    colour = palette.TONES[link.tone][0]
    (x, y), forward = points[-1], points[0][0] < points[-1][0]
    canvas.curve([*points[:-1], (x - 5 if forward else x + 5, y)], colour=colour, dashed=link.dashed)
    canvas.arrow(x, y, colour, 5 if forward else -5)


def _box(canvas: Canvas, box: Box, x: float, y: float, grid: _Grid) -> None:
    left, top, width, height = x - grid.box_width / 2, y - grid.box_height / 2, grid.box_width, grid.box_height
    edge, fill = palette.TONES[box.tone]
    canvas.box(left, top, width, height, fill=fill, edge=edge, dashed=box.dashed)
    content = 15 + _LINE * len(box.lines)
    line_y = y - content / 2 + 8
    canvas.text(left + 10, line_y, box.name, bold=True, size=11.5, room=width - 18)
    for line in box.lines:
        line_y += _LINE
        canvas.text(left + 10, line_y, line, size=10, colour=palette.MUTED, room=width - 18)
