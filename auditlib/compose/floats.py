"""Numbers as Go keeps and prints them, so that a value goes through text and back as it does in Compose."""

from __future__ import annotations

import math
import re
import struct
from typing import Any

from auditlib.patterns import regex

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = regex(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\Z")
_HEX_NUMBER = regex(r"[+-]?0[xX](?:[0-9a-fA-F_]+\.?[0-9a-fA-F_]*|\.[0-9a-fA-F_]+)[pP][+-]?[0-9]+\Z")
_SPECIAL = regex(r"[+-]?inf(?:inity)?\Z|nan\Z", re.IGNORECASE)


def parse_float(text: str) -> float | None:
    """A number as Go's `strconv.ParseFloat` reads it, `None` for anything else or what is too large."""
    if _NUMBER.match(text):
        value = float(text)
        return None if math.isinf(value) else value
    if _HEX_NUMBER.match(text):
        try:
            return float.fromhex(text.replace("_", ""))
        except (OverflowError, ValueError):
            return None
    return float(text) if _SPECIAL.match(text) else None


def float32(value: float) -> float:
    """The nearest 32-bit number; Compose keeps CPU counts so."""
    if math.isnan(value):
        return value
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
        return rounded
    except OverflowError:
        return math.copysign(math.inf, value)


def shortest(value: float, *, single: bool = False) -> str:
    """The fewest digits that give the number back, as a decimal with exponent: `1.5e+00`."""
    if not single:
        for digits in range(17):
            text = f"{value:.{digits}e}"
            if float(text) == value:
                return text
    for digits in range(10):
        text = f"{value:.{digits}e}"
        if float32(float(text)) == value:
            return text
    return f"{value:e}"


def go_text(value: float, *, single: bool = False) -> str:
    """A number as `fmt.Sprint` writes it: plain between 1e-4 and 1e6, otherwise with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return _layout(value, single, -4, 6)


def json_text(value: float, *, single: bool = False) -> str:
    """A number as `encoding/json` writes it: an exponent only below 1e-6 and from 1e21."""
    return _layout(value, single, -6, 21)


def yaml_text(value: float, *, single: bool = False) -> str:
    """A number as go-yaml writes it: with an exponent below 1e-4 and from 1e6."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return _layout(value, single, -4, 6)


def _layout(value: float, single: bool, low: int, high: int) -> str:
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    mantissa, exponent = shortest(value, single=single).split("e")
    power = int(exponent)
    if power < low or power >= high:
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    digits = mantissa.replace(".", "").lstrip("-")
    sign = "-" if value < 0 else ""
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    if len(digits) <= power + 1:
        return sign + digits + "0" * (power + 1 - len(digits))
    return f"{sign}{digits[: power + 1]}.{digits[power + 1 :]}"


def sprint(value: Any) -> str:
    """Any value as Go's `fmt.Sprint` writes it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{sprint(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(sprint(v) for v in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_text(value)
    return "<nil>" if value is None else str(value)
