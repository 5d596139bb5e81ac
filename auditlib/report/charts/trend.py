"""What became of several amounts from step to step: lines with their names at the end, and columns made of parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas, legend_height

_LEFT = 38.0
_HEIGHT = {"lines": 180.0, "columns": 96.0}
"""Of the upper and of the lower half."""
_LABEL = 15.0
"""The room of a line's name, from the one to the next."""
_DATE = 110.0
"""The room of a step's name."""
_WIDEST = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """Its name, its colour, and its value from 0 to 100 at each step: None where it isn't known, never at the last."""

    name: str
    colour: str
    values: Sequence[int | None]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A layer of the columns: its name, its colour, and its amount at each step."""

    name: str
    colour: str
    amounts: Sequence[int]


def draw(steps: Sequence[str], lines: Sequence[Line], parts: Sequence[Part], titles: tuple[str, str]) -> Canvas:
    """The picture of at least two steps; the lines above, the columns below, each under its title."""
    legend = [(part.colour, part.name) for part in parts]
    upper, ground = 34.0, 34.0 + _HEIGHT["lines"] + 66 + _HEIGHT["columns"]
    names = max((measuring.width(line.name) for line in lines), default=0.0) + 50
    xs = [_LEFT + 20 + number * (WIDTH - _LEFT - names - 30) / (len(steps) - 1) for number in range(len(steps))]
    canvas = Canvas(ground + 34 + legend_height(legend) + 8)
    canvas.text(2, 10, titles[0], bold=True)
    _lines(canvas, lines, xs, upper)
    canvas.text(2, ground - _HEIGHT["columns"] - 24, titles[1], bold=True)
    _columns(canvas, parts, xs, ground)
    _names(canvas, steps, xs, ground + 16)
    canvas.legend(ground + 46, legend, 2)
    return canvas


def _lines(canvas: Canvas, lines: Sequence[Line], xs: Sequence[float], top: float) -> None:
    height, right = _HEIGHT["lines"], xs[-1]
    for value in (0, 50, 100):
        y = top + height * (1 - value / 100)
        canvas.line([(_LEFT, y), (right + 8, y)], width=0.6)
        canvas.text(_LEFT - 8, y, str(value), colour=palette.MUTED, align="right")
    paths = [
        [(x, top + height * (1 - value / 100)) for x, value in zip(xs, line.values, strict=True) if value is not None]
        for line in lines
    ]
    labels = _apart([path[-1][1] for path in paths], top - 4, top + height + 4)
    for line, path, label in zip(lines, paths, labels, strict=True):
        canvas.line(path, colour=line.colour, width=2, dashed=line.dashed)
        canvas.dot(right, path[-1][1], 3.5, fill=line.colour)
        canvas.line([(right + 8, path[-1][1]), (right + 24, label)], colour=line.colour, width=0.8)
        canvas.text(right + 30, label, f"{line.name} {line.values[-1]}")


def _apart(wanted: Sequence[float], top: float, bottom: float) -> list[float]:
    """Where the labels of lines that end at these heights stand: in the same order, none upon another."""
    placed = [0.0] * len(wanted)
    floor = top
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    for rank, number in enumerate(order):
        room_below = bottom - (len(order) - 1 - rank) * _LABEL
        placed[number] = max(floor, min(wanted[number], room_below))
        floor = placed[number] + _LABEL
    return placed


def _columns(canvas: Canvas, parts: Sequence[Part], xs: Sequence[float], ground: float) -> None:
    totals = [sum(amounts) for amounts in zip(*(part.amounts for part in parts), strict=True)]
    scale = _HEIGHT["columns"] / (max(totals) or 1)
    width = max(2.0, min(_WIDEST, (xs[1] - xs[0]) * 0.6))
    canvas.line([(_LEFT, ground), (xs[-1] + 8, ground)], width=0.6)
    tops = [ground] * len(xs)
    for part in parts:
        for number, amount in enumerate(part.amounts):
            tops[number] -= amount * scale
            if amount:
                canvas.cells([(xs[number] - width / 2, tops[number])], width, amount * scale, part.colour)
    for number in _shown(xs, 34):
        canvas.text(xs[number], tops[number] - 8, str(totals[number]), colour=palette.MUTED, align="center")


def _names(canvas: Canvas, steps: Sequence[str], xs: Sequence[float], y: float) -> None:
    for number in _shown(xs, _DATE):
        canvas.text(xs[number], y, steps[number], colour=palette.MUTED, align="center")


def _shown(xs: Sequence[float], room: float) -> list[int]:
    """The steps whose text is shown where each takes this room: the last one, and from it back as many as fit."""
    every = max(1, math.ceil(room / (xs[1] - xs[0])))
    return list(range(len(xs) - 1, -1, -every))
