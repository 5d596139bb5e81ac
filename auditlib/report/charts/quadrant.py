"""Numbered marks over effort and risk: what is high up on the left comes first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from auditlib.model import Severity
from auditlib.report import palette
from auditlib.report.canvas import WIDTH, Canvas

Entry = tuple[int, int, float, Severity]
"""A number, a column, a risk, and the severity whose colour it has."""

_LEFT, _TOP = 64.0, 14.0
_RADIUS = 10.0
_ROW, _STEP = 2 * _RADIUS + 4, 2 * _RADIUS + 6
_ROWS = 9
"""Rows that even a picture of few marks has."""


def draw(entries: Sequence[Entry], columns: Sequence[str], legend: Sequence[tuple[str, str]]) -> Canvas:
    """The picture; risk is on a square-root scale, so that small ones stay apart."""
    width = (WIDTH - _LEFT) / len(columns)
    largest = max(risk for _, _, risk, _ in entries) or 1.0
    placed = [
        _placed([entry for entry in entries if entry[1] == column], largest, int((width - 40) / _STEP))
        for column in range(len(columns))
    ]
    height = (max(_ROWS, *(row for rows in placed for row in rows)) + 1) * _ROW + 20
    canvas = Canvas(_TOP + height + 62)
    for number, name in enumerate(columns):
        canvas.box(_LEFT + number * width + 3, _TOP, width - 6, height, fill=palette.PANEL, radius=6)
        canvas.text(_LEFT + (number + 0.5) * width, _TOP + height + 16, name, align="center", colour=palette.MUTED)
        _marks(canvas, placed[number], _LEFT + (number + 0.5) * width)
    canvas.text(_LEFT - 12, _TOP + 14, "more risk", align="right", colour=palette.MUTED)
    canvas.text(_LEFT - 12, _TOP + height - 14, "less", align="right", colour=palette.MUTED)
    canvas.legend(_TOP + height + 46, legend, _LEFT)
    return canvas


def _placed(members: Sequence[Entry], largest: float, most: int) -> dict[int, list[Entry]]:
    """The marks by row: as far down as their risk is small, and further down where a row is full."""
    rows: dict[int, list[Entry]] = {}
    row = 0
    for entry in sorted(members, key=lambda entry: (-entry[2], entry[0])):
        row = max(row, round((1 - math.sqrt(entry[2] / largest)) * _ROWS))
        row += len(rows.get(row, ())) >= most
        rows.setdefault(row, []).append(entry)
    return rows


def _marks(canvas: Canvas, rows: Mapping[int, Sequence[Entry]], centre: float) -> None:
    """The marks of one column, those of a row side by side."""
    for row, entries in rows.items():
        y, x = _TOP + 20 + row * _ROW, centre - _STEP * (len(entries) - 1) / 2
        for number, _, _, severity in entries:
            canvas.dot(x, y, _RADIUS, fill=palette.SEVERITY[severity], edge=palette.PAPER, line=1)
            canvas.text(x, y, str(number), bold=True, align="center", colour=palette.ON_SEVERITY[severity])
            x += _STEP
