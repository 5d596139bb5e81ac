"""Sizes and spans of time as Compose reads and writes them.

Follows docker's `go-units` (binary sizes), `go-str2duration` and Go's `time.Duration.String`.
"""

from __future__ import annotations

import re

from auditlib.compose.errors import RefusedError
from auditlib.compose.floats import parse_float
from auditlib.patterns import regex

_SIZE = regex(r"(?P<number>.*[0-9. ])(?P<suffix>[^0-9. ]*)\Z", re.DOTALL)
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_NANOSECONDS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9,
    "m": 60 * 10**9, "h": 3600 * 10**9, "d": 24 * 3600 * 10**9, "w": 168 * 3600 * 10**9,
}  # fmt: skip
_PART = regex(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")
_LIMIT = 2**63 - 1


def parse_bytes(text: str) -> int:
    """A size such as `64m`, `1.5 GiB` or `1024`, in bytes."""
    match = _SIZE.match(text)
    if match is None:
        raise RefusedError(f"expected a size such as 64m, found {text!r}")
    number, suffix = match["number"], match["suffix"]
    number = number[:-1] if number.endswith(" ") else number
    value = parse_float(number)
    if value is None or value < 0:
        raise RefusedError(f"expected a size such as 64m, found {text!r}")
    unit = suffix.lower()
    if unit in ("", "b"):
        return _whole(value)
    if unit[0] not in _POWERS or unit[1:] not in ("", "b", "ib"):
        raise RefusedError(f"unknown unit {suffix!r} in size {text!r}; known are b, k, m, g, t and p")
    return _whole(value * 1024 ** _POWERS[unit[0]])


def _whole(value: float) -> int:
    return int(value) if value < 2**63 else -(2**63)


def parse_duration(text: str) -> int:
    """A span such as `1h30m`, `2d` or `1.5s`, in nanoseconds."""
    refusal = RefusedError(f"expected a duration such as 1m30s, found {text!r}")
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise refusal
    total = 0
    while rest and (match := _PART.match(rest)):
        whole, point, fraction, unit = match[1], match[2], match[3] or "", match[4]
        if (not whole and not (point and fraction)) or unit not in _NANOSECONDS or len(whole) > 19:
            raise refusal
        scale = _NANOSECONDS[unit]
        total += int(whole or "0") * scale
        fraction = fraction[:18]
        if fraction:
            total += int(float(int(fraction)) * (float(scale) / 10.0 ** len(fraction)))
        if total > _LIMIT:
            raise refusal
        rest = rest[match.end() :]
    return -total if text.startswith("-") else total


def duration_text(span: int) -> str:
    """A span as Go writes it: `1m30s`, `500ms`, `0s`."""
    if span == 0:
        return "0s"
    sign, left = ("-", -span) if span < 0 else ("", span)
    if left < 10**9:
        for unit, scale in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if left >= scale:
                return f"{sign}{_decimal(left, scale)}{unit}"
    hours, left = divmod(left, 3600 * 10**9)
    minutes, left = divmod(left, 60 * 10**9)
    seconds = f"{_decimal(left, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, scale: int) -> str:
    whole, rest = divmod(value, scale)
    digits = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
