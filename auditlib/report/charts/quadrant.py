"""Numbered marks over effort and risk: what is high up on the left comes first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditlib.model import Severity
from auditlib.report import palette
from auditlib.report.canvas import WIDTH, Canvas

Entry = tuple[int, int, float, Severity]
"""A number, a column, a risk, and the severity whose colour it has."""

_LEFT, _TOP, _HEIGHT = 64.0, 14.0, 260.0
_RADIUS = 10.0


def draw(entries: Sequence[Entry], columns: Sequence[str], legend: Sequence[tuple[str, str]]) -> Canvas:
    """The picture; risk is on a square-root scale, so that small ones stay apart."""
    canvas = Canvas(_TOP + _HEIGHT + 62)
    width = (WIDTH - _LEFT) / len(columns)
    largest = max(risk for _, _, risk, _ in entries) or 1.0
    for number, name in enumerate(columns):
        canvas.box(_LEFT + number * width + 3, _TOP, width - 6, _HEIGHT, fill=palette.PANEL, radius=6)
        canvas.text(_LEFT + (number + 0.5) * width, _TOP + _HEIGHT + 16, name, align="center", colour=palette.MUTED)
    canvas.text(_LEFT - 12, _TOP + 14, "more risk", align="right", colour=palette.MUTED)
    canvas.text(_LEFT - 12, _TOP + _HEIGHT - 14, "less", align="right", colour=palette.MUTED)
    for column in range(len(columns)):
        members = [entry for entry in entries if entry[1] == column]
        _column(canvas, members, _LEFT + (column + 0.5) * width, width, largest)
    canvas.legend(_TOP + _HEIGHT + 46, legend, _LEFT)
    return canvas


def _column(canvas: Canvas, members: Sequence[Entry], centre: float, width: float, largest: float) -> None:
    """Marks of like risk stand side by side."""
    lanes: dict[int, list[Entry]] = {}
    for entry in members:
        level = math.sqrt(entry[2] / largest)
        lanes.setdefault(round((1 - level) * (_HEIGHT - 40) / (2 * _RADIUS + 4)), []).append(entry)
    for lane, entries in lanes.items():
        y = _TOP + 20 + lane * (2 * _RADIUS + 4)
        step = min(2 * _RADIUS + 6, (width - 40) / len(entries))
        x = centre - step * (len(entries) - 1) / 2
        for number, _, _, severity in entries:
            canvas.dot(x, y, _RADIUS, fill=palette.SEVERITY[severity], edge=palette.PAPER, line=1)
            canvas.text(x, y, str(number), size=10, bold=True, align="center", colour=palette.ON_SEVERITY[severity])
            x += step
