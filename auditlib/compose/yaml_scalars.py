"""What a plain YAML scalar means to Compose.

The reference reads YAML with go-yaml 3: YAML 1.2 booleans and nulls (`yes`, `on` and `no` are text), but octal `0777`,
`_` between digits and dates of YAML 1.1. `22:22` is text.
"""

from __future__ import annotations

import base64
import math
import re
from datetime import datetime
from typing import Any

from auditlib.compose.floats import parse_float
from auditlib.patterns import regex

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_MAYBE = frozenset("0123456789+-.~yYnNtTfF")
_FLOAT = regex(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_INTEGER = regex(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z")
_DATE = regex(r"(\d{4}-\d{1,2}-\d{1,2})(?:(?:[Tt](\d{1,2}:\d{1,2}:\d{1,2})(?:\.(\d{1,}))?(Z|[+-]\d\d:\d\d))"
                   r"|(?: (\d{1,2}:\d{1,2}:\d{1,2})(?:\.(\d{1,}))?))?\Z")  # fmt: skip


class Timestamp(str):
    """A date, which Compose's schema accepts nowhere but in extensions; the text is how Compose prints it."""

    __slots__ = ()


def plain(text: str) -> Any:
    """The value of an unquoted scalar without a tag."""
    if text and text[0] not in _MAYBE:
        return text
    if text in _WORDS:
        return _WORDS[text]
    first = text[0]
    if first == ".":
        number = parse_float(text)
        return text if number is None else number
    if first not in "0123456789+-":
        return text
    return _number_or_date(text)


def _number_or_date(text: str) -> Any:
    if len(text) > 7 and text[4] == "-":
        date = _DATE.match(text)
        if date is not None:
            stamp = _timestamp(date)
            if stamp is not None:
                return stamp
    digits = text.replace("_", "")
    if _INTEGER.match(digits):
        number = _integer(digits)
        if -(2**63) <= number < 2**64:
            return number
    if _FLOAT.match(digits):
        value = float(digits)
        return text if math.isinf(value) else value
    return text


def _integer(digits: str) -> int:
    sign = -1 if digits[0] == "-" else 1
    body = digits.lstrip("+-").lower()
    for prefix, base in (("0x", 16), ("0b", 2), ("0o", 8)):
        if body.startswith(prefix):
            return sign * int(body[2:], base)
    if len(body) > 1 and body[0] == "0":
        return sign * int(body, 8)
    # An absurdly long run of digits is no 64-bit integer anyway, and Python refuses to convert it.
    return sign * (int(body) if len(body) < 40 else 2**64)


def _timestamp(date: re.Match[str]) -> Timestamp | None:
    day, time_t, fraction_t, zone, time_s, fraction_s = date.groups()
    year, month, number = day.split("-")
    clock = time_t or time_s or "0:0:0"
    fraction = fraction_t or fraction_s or ""
    hour, minute, second = clock.split(":")
    try:
        datetime(int(year), int(month), int(number), int(hour), int(minute), int(second))
    except ValueError:
        return None
    nanos = f".{fraction.rstrip('0')}" if fraction.rstrip("0") else ""
    moment = f"{year}-{int(month):02}-{int(number):02}T{int(hour):02}:{int(minute):02}:{int(second):02}"
    return Timestamp(f"{moment}{nanos}{'Z' if zone in (None, 'Z', '+00:00') else zone}")


def tagged(tag: str, text: str) -> Any:
    """The value of a scalar with a standard tag such as `!!int`; `ValueError` if the text is no such thing."""
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "binary":
        return _decoded(text)
    if kind == "str" or kind not in ("bool", "int", "float", "null", "timestamp"):
        return text
    value = plain(text)
    found = _kind(value)
    if kind == "float" and found == "int":
        return float(value)
    if found != kind:
        raise ValueError(f"cannot decode !!{found} `{text}` as a !!{kind}")
    return value


def _decoded(text: str) -> str:
    """What base64 stands for; as in Go, it may be broken into lines."""
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode("utf-8", "replace")
    except ValueError:  # its own words are Python's
        raise ValueError("!!binary value contains invalid base64 data") from None


def _kind(value: Any) -> str:
    for type_, name in ((bool, "bool"), (int, "int"), (float, "float"), (Timestamp, "timestamp"), (str, "str")):
        if isinstance(value, type_):
            return name
    return "null"
