"""Boxes in columns with lines between them: what comes first stands left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas, Point, legend_height
from auditlib.report.charts import layout
from auditlib.report.charts.boxes import COLUMNS, Box, Link, grouped

__all__ = ["Box", "Link", "draw"]

_GAP = 48.0
_WIDEST, _NARROWEST = 230.0, 128.0
_ROW_GAP = 14.0
_LINE = 15.0
_PADDING = 9.0
"""Between a box's edge and its texts."""
_SIZE = 11.5
"""Of a name."""
_MANY_LOOSE = 4
_PER_ROW = 4
_HEADING = 26.0


@dataclass(frozen=True, slots=True)
class _Shape:
    """A box's name in lines, and how large they make it."""

    name: tuple[str, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Grid:
    """Turns slots into pixels; `pitch` is from one row to the next."""

    box_width: float
    pitch: float
    top: float

    def centre(self, slot: layout.Slot) -> Point:
        column, row = slot
        left = column * (self.box_width + _GAP)
        return left + self.box_width / 2, self.top + row * self.pitch

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
    width = min(max((WIDTH + _GAP) / columns - _GAP, _NARROWEST), _WIDEST)
    shapes = {box.id: _shape(box, width, max(len(box.lines) for box in boxes)) for box in boxes}
    grid = _Grid(
        width, min(shape.height for shape in shapes.values()) + _ROW_GAP, _HEADING if headings and joined else 0.0
    )
    arranged = layout.arrange(
        {box.id: box.column for box in joined},
        [(link.source, link.target) for link in links],
        {name: (shape.height + _ROW_GAP) / grid.pitch for name, shape in shapes.items()},
    )
    middle = grid.top + arranged.rows * grid.pitch
    shelves = _shelves([shapes[box.id].height for box in loose], columns, middle + (_HEADING if joined else 0.0))
    bottom = shelves[-1]
    canvas = Canvas(bottom + legend_height(legend) + 6, max(WIDTH, columns * (width + _GAP) - _GAP))
    _headings(canvas, headings if joined else (), grid)
    numbers = {box.id: number for number, box in enumerate(boxes)}
    for link in links:
        with canvas.part(f"link-{numbers[link.source]}-{numbers[link.target]}"):
            _link(canvas, grid.route(arranged.routes[link.source, link.target]), link)
    for box in joined:
        with canvas.part(f"box-{numbers[box.id]}"):
            x, y = grid.centre(arranged.slots[box.id])
            _box(canvas, box, x - width / 2, y - shapes[box.id].height / 2, shapes[box.id])
    if loose and joined:
        canvas.text(0, middle + 11, apart, colour=palette.MUTED)
    for number, box in enumerate(loose):
        _box(canvas, box, number % columns * (width + _GAP), shelves[number // columns], shapes[box.id])
    canvas.legend(bottom + 14, legend)
    return canvas


def brief(
    boxes: Sequence[Box],
    links: Sequence[Link],
    nouns: Sequence[str],
    headings: Sequence[str] = (),
    legend: Sequence[tuple[str, str]] = (),
    apart: str = "On their own",
) -> tuple[Canvas, str]:
    """The picture in less room, and how: boxes that are alike are one. `nouns` say what those of each column are."""
    if len(headings) > COLUMNS:
        headings = (*headings[: COLUMNS - 1], f"{headings[COLUMNS - 1]} and later")
    return draw(*grouped(boxes, links, nouns, COLUMNS), headings, legend, apart), "What is alike stands in one box."


def _shape(box: Box, width: float, lines: int) -> _Shape:
    """A box with room for its name and for as many further lines as any box has."""
    name = measuring.wrapped(box.name, width - 2 * _PADDING, _SIZE, bold=True)
    return _Shape(tuple(name), width, 24 + _LINE * (lines + len(name) - 1))


def _shelves(heights: Sequence[float], columns: int, top: float) -> list[float]:
    """Where each row of boxes begins, the rows one below the other, and where the last one ends."""
    shelves = [top + _ROW_GAP / 2 if heights else top]
    for start in range(0, len(heights), columns):
        shelves.append(shelves[-1] + max(heights[start : start + columns]) + _ROW_GAP)
    return shelves


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


def _box(canvas: Canvas, box: Box, left: float, top: float, shape: _Shape) -> None:
    edge, fill = palette.TONES[box.tone]
    canvas.box(left, top, shape.width, shape.height, fill=fill, edge=edge, dashed=box.dashed)
    content = _LINE * (len(shape.name) + len(box.lines))
    line_y = top + (shape.height - content) / 2 + 8
    canvas.lines(left + _PADDING, line_y, shape.name, box.name, pitch=_LINE, size=_SIZE)
    line_y += _LINE * (len(shape.name) - 1)
    for line in box.lines:
        line_y += _LINE
        canvas.text(left + _PADDING, line_y, line, colour=palette.MUTED, room=shape.width - 18)
