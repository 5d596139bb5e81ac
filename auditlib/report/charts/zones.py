"""Bands one above the other, each with the names that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib.report import measuring, palette
from auditlib.report.canvas import WIDTH, Canvas

Zone = tuple[str, str, str, Sequence[str]]
"""A title, a line that explains it, a tone, and the names."""

_LABEL = 210.0
_CHIP, _PITCH = 24.0, 32.0
_PADDING = 12.0
_BRIEF = 4
"""Names of a zone in a picture in brief."""


def draw(zones: Sequence[Zone]) -> Canvas:
    """The picture; a zone without names says so. A large one has a brief one, of the first names of each zone."""
    canvas = _drawn(zones)
    if canvas.is_large:
        canvas.brief = (
            _drawn([(title, line, tone, _first(names)) for title, line, tone, names in zones]),
            "The first of each kind are shown.",
        )
    return canvas


def _first(names: Sequence[str]) -> Sequence[str]:
    return names if len(names) <= _BRIEF + 1 else [*names[:_BRIEF], f"and {len(names) - _BRIEF} more"]


def _drawn(zones: Sequence[Zone]) -> Canvas:
    placed = [list(_flow(names or ("none",))) for *_, names in zones]
    heights = [max((y for _, y, _, _ in chips), default=0) + _CHIP + 2 * _PADDING for chips in placed]
    heights = [max(height, 52.0) for height in heights]
    canvas = Canvas(sum(heights) + 8 * (len(zones) - 1))
    top = 0.0
    for (title, explanation, tone, names), chips, height in zip(zones, placed, heights, strict=True):
        edge, ground = palette.TONES[tone]
        canvas.box(0.5, top + 0.5, WIDTH - 1, height - 1, fill=ground, radius=6)
        canvas.cells([(0, top)], 4, height, edge)
        canvas.text(18, top + 18, title, bold=True, size=12)
        canvas.text(18, top + 35, explanation, colour=palette.MUTED, room=_LABEL - 18)
        for x, y, width, name in chips:
            if names:
                canvas.box(x, top + _PADDING + y, width, _CHIP, fill=palette.PAPER, edge=edge, line=0.8)
            colour = palette.INK if names else palette.MUTED
            canvas.text(x + 9, top + _PADDING + y + _CHIP / 2, name, colour=colour, room=width - 18)
        top += height + 8
    return canvas


def _flow(names: Sequence[str]) -> Iterator[tuple[float, float, float, str]]:
    """Chips side by side, in lines: x, y, width, name."""
    x, y = _LABEL + 20, 0.0
    for name in names:
        width = min(measuring.width(name) + 18.5, WIDTH - _LABEL - 40)
        if x + width > WIDTH - _PADDING:
            x, y = _LABEL + 20, y + _PITCH
        yield x, y, width, name
        x += width + 8
