"""Boxes in columns with lines between them: what comes first stands left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditlib.report import palette
from auditlib.report.canvas import WIDTH, Canvas, Point, legend_height
from auditlib.report.charts import layout

_GAP = 48.0
_WIDEST, _NARROWEST = 230.0, 128.0
_ROW_GAP = 14.0
_LINE = 15.0
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
        return left + self.box_width / 2, self.top + row * (self.box_height + _ROW_GAP)

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
) -> Canvas:
    """The picture. Links must lead to boxes that are there."""
    columns = max(box.column for box in boxes) + 1
    room = (WIDTH + _GAP) / columns - _GAP
    height = 24 + _LINE * max(len(box.lines) for box in boxes)
    grid = _Grid(min(max(room, _NARROWEST), _WIDEST), height, _HEADING if headings else 0.0)
    arranged = layout.arrange({box.id: box.column for box in boxes}, [(link.source, link.target) for link in links])
    bottom = grid.top + arranged.rows * (grid.box_height + _ROW_GAP)
    canvas = Canvas(bottom + legend_height(legend) + 6, max(WIDTH, columns * (grid.box_width + _GAP) - _GAP))
    for column, heading in enumerate(headings[:columns]):
        canvas.text(column * (grid.box_width + _GAP), 9, heading, colour=palette.MUTED, room=grid.box_width + _GAP - 8)
    for link in links:
        _link(canvas, grid.route(arranged.routes[link.source, link.target]), link)
    for box in boxes:
        _box(canvas, box, *grid.centre(arranged.slots[box.id]), grid)
    canvas.legend(bottom + 14, legend)
    return canvas


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
