"""A drawing surface in pixels on matplotlib, so that all pictures speak one visual language."""

from __future__ import annotations

import html
import io
import itertools
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from auditlib.patterns import regex
from auditlib.report import measuring, palette
from auditlib.report.blocks import Brief, Picture, Table

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

Point = tuple[float, float]

WIDTH = 880.0
"""The width of a picture, in the page's pixels; wider ones scroll on their own."""
_MOST = (890.0, 600.0)
"""The largest picture whose texts can be read on paper (its width) and on a slide (its height)."""
_MARGIN = 1.0
"""Around all that is drawn, so that no line at its edge is cut in half."""
_LEGEND_ROW = 22.0
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "auditlib",
    "font.family": "sans-serif",
    "path.simplify": False,
}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


class Canvas:
    """Draws boxes, lines and texts; y grows downwards. `svg()` is the picture.

    `brief` is the same in less room, with a sentence on what it does without; a chart that `is_large` may have one.
    """

    brief: tuple[Canvas, str] | None = None

    def __init__(self, height: float, width: float = WIDTH) -> None:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

        self.width, self.height = width, height
        self._figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="none")
        FigureCanvasSVG(self._figure)
        self._axes: Axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_xlim(-_MARGIN, width + _MARGIN)
        self._axes.set_ylim(height + _MARGIN, -_MARGIN)
        self._axes.axis("off")
        self._part = ""
        self._shortened: list[str] = []

    @property
    def is_large(self) -> bool:
        """Whether its texts can't be read where there is less room than on a screen."""
        return self.width > _MOST[0] or self.height > _MOST[1]

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """What is drawn meanwhile belongs together, so that the page can point at it: `box-3`, `link-3-5`."""
        self._part = name
        yield
        self._part = ""

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        edge: str = "none",
        line: float = 1.0,
        dashed: bool = False,
        radius: float = 4.0,
    ) -> None:
        """A rectangle with round corners."""
        from matplotlib.patches import FancyBboxPatch

        style = f"round,pad=0,rounding_size={radius}"
        patch = FancyBboxPatch(
            (x, y), width, height, style, fc=fill, ec=edge, lw=line, ls=(0, (4, 3)) if dashed else "-"
        )
        self._add(patch)

    def cells(self, corners: Iterable[Point], width: float, height: float, fill: str) -> None:
        """Many rectangles of one size and colour, as a single path."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        outline = ((0, 0), (width, 0), (width, height), (0, height), (0, 0))
        vertices = [(x + dx, y + dy) for x, y in corners for dx, dy in outline]
        if vertices:
            codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * (len(vertices) // 5)
            self._add(PathPatch(Path(vertices, codes), fc=fill, ec="none"))

    def dot(
        self, x: float, y: float, radius: float, *, fill: str = "none", edge: str = "none", line: float = 1.5
    ) -> None:
        """A disc, or a ring if it isn't filled."""
        from matplotlib.patches import Circle

        self._add(Circle((x, y), radius, fc=fill, ec=edge, lw=line))

    def line(
        self, points: Sequence[Point], *, colour: str = palette.LINE, width: float = 1.0, dashed: bool = False
    ) -> None:
        """A line through the points."""
        from matplotlib.lines import Line2D

        xs, ys = zip(*points, strict=True)
        self._add(Line2D(xs, ys, color=colour, lw=width, ls=(0, (4, 3)) if dashed else "-", solid_capstyle="round"))

    def curve(self, points: Sequence[Point], *, colour: str, width: float = 1.2, dashed: bool = False) -> None:
        """A line that leaves and enters each point horizontally."""
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        vertices: list[Point] = [points[0]]
        for (x, y), (next_x, next_y) in itertools.pairwise(points):
            middle = (x + next_x) / 2
            vertices += [(middle, y), (middle, next_y), (next_x, next_y)]
        codes = [Path.MOVETO] + [Path.CURVE4] * (len(vertices) - 1)
        self._add(PathPatch(Path(vertices, codes), fc="none", ec=colour, lw=width, ls=(0, (4, 3)) if dashed else "-"))

    def arrow(self, x: float, y: float, colour: str, size: float = 5.0) -> None:
        """An arrow head that points right, its tip at (x, y)."""
        from matplotlib.patches import Polygon

        self._add(
            Polygon([(x, y), (x - size * 1.4, y - size * 0.7), (x - size * 1.4, y + size * 0.7)], fc=colour, ec="none")
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 11.0,
        colour: str = palette.INK,
        align: str = "left",
        bold: bool = False,
        room: float = 0.0,
        angle: float = 0.0,
    ) -> None:
        """A line of text with its middle at y; it is shortened to `room` pixels if given, `<title>` has it all."""
        whole = measuring.printable(text)
        shown = measuring.fitted(whole, room or math.inf, size, bold=bold)
        written = self._axes.text(
            x, y, shown, fontsize=size, color=colour, ha=align, va="center_baseline" if not angle else "bottom",
            weight="bold" if bold else "normal", rotation=angle, rotation_mode="anchor", parse_math=False,
        )  # fmt: skip
        self._mark(written, "" if shown == whole else whole)

    def lines(self, x: float, y: float, lines: Sequence[str], whole: str, *, pitch: float, size: float) -> None:
        """A bold text that was broken into lines, the middle of the first at y; `<title>` has it all in one."""
        for number, line in enumerate(lines):
            written = self._axes.text(
                x,
                y + number * pitch,
                line,
                fontsize=size,
                color=palette.INK,
                va="center_baseline",
                weight="bold",
                parse_math=False,
            )
            self._mark(written, measuring.printable(whole) if number == 0 and len(lines) > 1 else "")

    def legend(self, y: float, entries: Sequence[tuple[str, str]], x: float = 0.0) -> None:
        """Swatches with what they mean, in rows from y on; a swatch's colour `dashed` is a dashed frame."""
        for left, row, (colour, meaning) in _flow(entries, self.width, x):
            middle = y + row * _LEGEND_ROW
            if colour == "dashed":
                self.box(left + 0.5, middle - 5, 13, 10, edge=palette.MUTED, dashed=True, radius=2)
            else:
                self.box(left + 0.5, middle - 5, 13, 10, fill=colour, edge=palette.FAINT, line=0.5, radius=2)
            self.text(left + 19, middle, meaning, colour=palette.MUTED)

    def picture(
        self, caption: str, alternative: str, table: Table | None = None, places: Iterable[str] = ()
    ) -> Picture:
        """The picture as a block, in brief too where there is less room."""
        brief = Brief(self.brief[0].svg(alternative), self.brief[1]) if self.brief else None
        return Picture(self.svg(alternative), caption, alternative, table, brief, tuple(places))

    def svg(self, alternative: str) -> str:
        """The picture as an SVG element, the same bytes for the same picture. `alternative` says what is to be seen."""
        import matplotlib

        stream = io.StringIO()
        with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
            # What matplotlib's own font lacks, the reader's has: the text stays text.
            warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
            self._figure.savefig(stream, format="svg", metadata=_NO_METADATA)
        label = html.escape(alternative)
        size = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}" style="{_STYLE}">'
            f"<title>{label}</title>{palette.as_variables(_slim(stream.getvalue(), self._shortened))}</svg>"
        )

    def _add(self, artist: Artist) -> None:
        artist.set_clip_on(False)
        self._mark(artist)
        self._axes.add_artist(artist)

    def _mark(self, artist: Artist, whole: str = "") -> None:
        """Note in a picture what an artist belongs to, and the whole text that it shows in short."""
        if whole:
            self._shortened.append(whole)
        if self._part or whole:
            artist.set_gid(f"part:{self._part}:{len(self._shortened) if whole else 0}")


def legend_height(entries: Sequence[tuple[str, str]], width: float = WIDTH) -> float:
    """The room that a legend takes below a picture."""
    return (max((row for _, row, _ in _flow(entries, width, 0)), default=-1) + 1) * _LEGEND_ROW


def _flow(
    entries: Sequence[tuple[str, str]], width: float, start: float
) -> Iterator[tuple[float, int, tuple[str, str]]]:
    """Where each entry of a legend stands: its left edge and its row."""
    x, row = start, 0
    for entry in entries:
        room = 37 + measuring.width(entry[1])
        if x + room > width and x > start:
            x, row = start, row + 1
        yield x, row, entry
        x += room


_STYLE = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif;stroke-linejoin:round"
_FRAME = regex(r"^.*?</defs>|</svg>\s*$", re.S)
_BACKGROUND = regex(r'<path d="[^"]*" style="fill: none"/>')
_WASTE = regex(
    r"""\sid="[^"]*"|\sfont-family: '[^;"]*;|;\sstroke-linejoin: miter|;\sstroke-dashoffset: 0"""
    r"""|\stransform="rotate\(-0 [^"]*\)\""""
)
_PART = regex(r'\sid="part:([a-z0-9-]*):(\d+)">')
_SPACE = regex(r"\s*\n\s*")
_GROUP = regex(r"<g>((?:(?!<g\b).)*?)</g>", re.S)


def _labelled(shortened: Sequence[str], match: re.Match[str]) -> str:
    """A group's attribute, with the whole of a shortened text; a group without any would be taken away."""
    part, number = match[1], int(match[2])
    title = f"<title>{html.escape(shortened[number - 1])}</title>" if number else ""
    return f' data-part="{part}">{title}' if part else f' data-shortened="">{title}'


def _slim(svg: str, shortened: Sequence[str]) -> str:
    """What is drawn, alone: no prologue, no ids (they would repeat within a page), no fonts, no empty groups."""
    slim = _BACKGROUND.sub("", _FRAME.sub("", svg), count=1)
    slim = _SPACE.sub(" ", _WASTE.sub("", _PART.sub(partial(_labelled, shortened), slim)))
    while (inner := _GROUP.sub(r"\1", slim)) != slim:
        slim = inner
    return slim.strip()
