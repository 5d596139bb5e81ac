"""A colour of somebody's house made fit to be read: on paper and, lighter, on a dark screen."""

from __future__ import annotations

CONTRAST = 4.5
"""What WCAG asks of text of normal size."""
_GROUNDS = {"light": ("#ffffff", "#f3f5f8"), "dark": ("#14191f", "#1d242d")}
"""The paper and the panels of the page in both modes."""
_FAR_END = {"light": "#000000", "dark": "#ffffff"}
_STEPS = 50


def readable(colour: str, mode: str) -> str:
    """`colour` (#rrggbb), moved towards black or white just as far as it takes to be read in the mode."""
    for step in range(_STEPS):
        moved = mixed(colour, _FAR_END[mode], step / _STEPS)
        if all(contrast(moved, ground) >= CONTRAST for ground in _GROUNDS[mode]):
            return moved
    return _FAR_END[mode]


def soft(colour: str, mode: str) -> str:
    """The colour as the ground below texts."""
    return mixed(_GROUNDS[mode][0], colour, 0.16 if mode == "light" else 0.25)


def mixed(first: str, second: str, share: float) -> str:
    """The first colour with a share of the second one, from 0 to 1."""
    pairs = zip(_channels(first), _channels(second), strict=True)
    return "#" + "".join(f"{round(one + (other - one) * share):02x}" for one, other in pairs)


def contrast(first: str, second: str) -> float:
    """The contrast of two colours as WCAG counts it, from 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = [value / 255 for value in _channels(colour)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
