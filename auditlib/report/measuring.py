"""How wide texts are, and names brought to a width: shortened, or in several lines.

Measured is DejaVu Sans, which matplotlib brings along: the reader's font isn't known, and those of most systems are
narrower.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from auditlib.patterns import regex

if TYPE_CHECKING:
    from matplotlib.ft2font import FT2Font

LABEL = 200.0
"""Pixels that the name of a row or column takes at most."""
_LONGEST = 200
"""Characters of a text that are shown at most, however much room there is."""
_WORD = regex(r"[^-_./:@ ]*[-_./:@ ]+|[^-_./:@ ]+")
"""A part of a name with the separators that end it."""


def width(text: str, size: float = 11.0, *, bold: bool = False) -> float:
    """The width of a line of text in pixels, in letters of this size."""
    return size * sum(_advance(character, bold) for character in text)


def fitted(text: str, room: float, size: float = 11.0, *, bold: bool = False) -> str:
    """The text in at most `room` pixels, printable, its middle left out if it is longer.

    Names mostly differ at their ends, so both ends stay.
    """
    clean = printable(text)
    shown, kept = clean, min(len(clean), _LONGEST + 1)
    while kept > 2 and (len(shown) > _LONGEST or width(shown, size, bold=bold) > room):
        kept -= 1
        shown = f"{clean[: (kept + 1) // 2]}…{clean[len(clean) - kept // 2 :]}"
    return shown


def wrapped(text: str, room: float, size: float = 11.0, *, bold: bool = False, most: int = 6) -> list[str]:
    """The text in lines of at most `room` pixels, broken after separators, and within a word that is wider than a line.

    What is more than `most` lines is shortened on the last of them.
    """
    lines = [""]
    for word in _WORD.findall(printable(text)):
        if lines[-1] and width(lines[-1] + word.rstrip(), size, bold=bold) > room:
            lines.append("")
        for character in word:
            if lines[-1] and character != " " and width(lines[-1] + character, size, bold=bold) > room:
                lines.append("")
            lines[-1] += character
    rest = "".join(lines[most - 1 :])
    return (
        [line.rstrip() for line in lines]
        if len(lines) <= most
        else [*lines[: most - 1], fitted(rest, room, size, bold=bold)]
    )


def printable(text: str) -> str:
    """The text with spaces for control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


@cache
def _advance(character: str, bold: bool) -> float:
    """How far the next character stands, as a share of the size; one that the font lacks is as wide as it is high."""
    from matplotlib.ft2font import LoadFlags

    font = _font(bold)
    if not font.get_char_index(ord(character)):
        return 1.0
    return font.load_char(ord(character), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 100


@cache
def _font(bold: bool) -> FT2Font:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))
    font.set_size(100, 72)
    return font
