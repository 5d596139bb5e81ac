"""Amounts as bars: one a row, made of parts."""

from __future__ import annotations

from collections.abc import Sequence

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas

Row = tuple[str, Sequence[tuple[str, float]], str]
"""A label, the parts as colour and amount, and what stands at the end of the bar."""

_HEIGHT = 26.0
_BAR = 14.0


def draw(rows: Sequence[Row], legend: Sequence[tuple[str, str]] = ()) -> Canvas:
    """The picture; all bars are on one scale."""
    label = min(max(measuring.width(name) for name, _, _ in rows), measuring.LABEL) + 16
    ending = max(measuring.width(end) for _, _, end in rows) + 16
    largest = max((sum(amount for _, amount in parts) for _, parts, _ in rows), default=0) or 1
    scale = (WIDTH - label - ending) / largest
    canvas = Canvas(len(rows) * _HEIGHT + (34 if legend else 4))
    for number, (name, parts, end) in enumerate(rows):
        middle = (number + 0.5) * _HEIGHT
        canvas.text(2, middle, name, room=label - 12)
        x = label
        for colour, amount in parts:
            if amount:
                canvas.cells([(x, middle - _BAR / 2)], max(amount * scale - 1, 1), _BAR, colour)
                x += amount * scale
        canvas.text(x + 8, middle, end, colour=palette.MUTED)
    if legend:
        canvas.legend(len(rows) * _HEIGHT + 18, legend, 2)
    return canvas
