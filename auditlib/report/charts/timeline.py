"""Spans of time, one a row: when something starts, and until when it may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas, legend_height

_HEIGHT = 26.0
_BAR = 13.0
_TOP = 26.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_TICKS = 8
_BRIEF = 20
"""Rows of a picture in brief."""


@dataclass(frozen=True, slots=True)
class Span:
    """A row: a name, when it starts and ends, the tone of its bar, and what stands at its end."""

    name: str
    start: float
    end: float
    tone: str
    note: str


def draw(spans: Sequence[Span], legend: Sequence[tuple[str, str]] = ()) -> Canvas:
    """The picture; a span of no length is a dot. A large one has a brief one, of its first rows."""
    canvas = _drawn(spans, legend)
    if canvas.is_large:
        canvas.brief = _drawn(spans[:_BRIEF], legend), f"The first {_BRIEF} of {len(spans)} rows are shown."
    return canvas


def _drawn(spans: Sequence[Span], legend: Sequence[tuple[str, str]]) -> Canvas:
    label = min(max(measuring.width(span.name) for span in spans), measuring.LABEL) + 16
    ending = max(measuring.width(span.note) for span in spans) + 16
    last = max(span.end for span in spans) or 1.0
    scale = (WIDTH - label - ending) / last
    bottom = _TOP + len(spans) * _HEIGHT
    canvas = Canvas(bottom + legend_height(legend) + 12)
    _axis(canvas, last, label, scale, bottom)
    for number, span in enumerate(spans):
        middle = _TOP + (number + 0.5) * _HEIGHT
        start, end = label + span.start * scale, label + span.end * scale
        colour, ground = palette.TONES[span.tone]
        canvas.text(2, middle, span.name, room=label - 12)
        if span.end > span.start:
            canvas.box(start, middle - _BAR / 2, end - start, _BAR, fill=ground, edge=colour, radius=2)
        canvas.dot(start, middle, 4.5, fill=colour)
        canvas.text(end + 9, middle, span.note, colour=palette.MUTED)
    canvas.legend(bottom + 16, legend, 2)
    return canvas


def duration(seconds: float) -> str:
    """`45 s`, `2 min 30 s`, `1 h 5 min`."""
    whole = round(seconds)
    parts = [(whole // 3600, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    shown = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(shown[:2]) or "0 s"


def _axis(canvas: Canvas, last: float, left: float, scale: float, bottom: float) -> None:
    step = next((step for step in _STEPS if last / step <= _TICKS), last / _TICKS)
    for number in range(int(last / step) + 1):
        x = left + number * step * scale
        canvas.line([(x, _TOP - 6), (x, bottom)], width=0.6)
        canvas.text(x, 9, duration(number * step), colour=palette.MUTED, align="center" if number else "left")
