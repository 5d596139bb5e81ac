"""The colours, each under the role that it plays; in a page they are CSS variables, so that dark mode can turn them.

Told apart by lightness as well as by hue, so that they survive grey print and every kind of colour blindness; no
picture says anything by colour alone.
"""

from __future__ import annotations

from auditlib.model import Severity
from auditlib.patterns import regex

INK = "#1c2530"
MUTED = "#586473"
FAINT = "#98a2af"
LINE = "#d3d9e0"
PANEL = "#f3f5f8"
PAPER = "#ffffff"

GOOD = "#1a7468"
WARN = "#b4610f"
BAD = "#a82a3a"
ACCENT = "#2c5a96"
GOOD_SOFT = "#d6ebe7"
WARN_SOFT = "#fae5cb"
BAD_SOFT = "#f5d5d8"
ACCENT_SOFT = "#dce7f4"

SEVERITY: dict[Severity, str] = {
    Severity.CRITICAL: "#7d1128",
    Severity.HIGH: "#c2481a",
    Severity.MEDIUM: "#d99a1c",
    Severity.LOW: "#5b8db8",
    Severity.INFO: "#8f9aa8",
}

ON_SEVERITY: dict[Severity, str] = {
    Severity.CRITICAL: PAPER,
    Severity.HIGH: PAPER,
    Severity.MEDIUM: "#1f1604",
    Severity.LOW: "#06131f",
    Severity.INFO: "#10151b",
}
"""What stands on a severity's colour: the paper where it is dark, else a near black that dark mode leaves alone."""

TONES: dict[str, tuple[str, str]] = {
    "good": (GOOD, GOOD_SOFT),
    "warn": (WARN, WARN_SOFT),
    "bad": (BAD, BAD_SOFT),
    "accent": (ACCENT, ACCENT_SOFT),
    "": (MUTED, PANEL),
    **{str(severity): (ON_SEVERITY[severity], colour) for severity, colour in SEVERITY.items()},
}
"""A judgement's colour for lines and marks, and the one for the ground below them."""

_ROLES: dict[str, str] = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    LINE: "line",
    PANEL: "panel",
    PAPER: "paper",
    GOOD: "good",
    WARN: "warn",
    BAD: "bad",
    ACCENT: "accent",
    GOOD_SOFT: "good-soft",
    WARN_SOFT: "warn-soft",
    BAD_SOFT: "bad-soft",
    ACCENT_SOFT: "accent-soft",
    **{colour: str(severity) for severity, colour in SEVERITY.items()},
}
_COLOUR = regex(rf"(?<=: )(?:{'|'.join(_ROLES)})\b")


def as_variables(svg: str) -> str:
    """The picture with each colour as a CSS variable that falls back to the colour itself outside a page."""
    return _COLOUR.sub(lambda match: f"var(--{_ROLES[match[0]]},{match[0]})", svg)
