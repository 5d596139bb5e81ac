"""The kinds of leaf values that a Compose project has, and how each is read into its canonical value.

Follows compose-go's `types` package (the `DecodeMapstructure` methods) and the casts of its decoder. A kind returns
the canonical value, or `EMPTY` for what the reference leaves out of its output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import RefusedError
from auditlib.compose.floats import float32, sprint
from auditlib.compose.interpolate import to_bool, to_float, to_float32, to_int
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.compose.units import parse_bytes, parse_duration

EMPTY = object()
"""What is not written out: the zero of a type that has no other way to say `unset`."""

Kind = Callable[[Any, Mark], Any]


class Bytes(int):
    """A size; Compose writes it as text."""


class Duration(int):
    """A span in nanoseconds; Compose writes it as `1m30s`."""


class Single(float):
    """A number of 32 bits."""


class Mode(int):
    """The permissions of a file; Compose writes them as octal text."""


def wrong(expected: str, value: Any) -> RefusedError:
    """The refusal of a value of a wrong type."""
    kinds = {Map: "a mapping", Seq: "a list", type(None): "nothing"}
    return RefusedError(f"expected {expected}, found {kinds.get(type(value)) or repr(value)}")


def text(value: Any, _mark: Mark = None) -> Any:
    """A text; a whole number is taken for one."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise wrong("a text", value)
    return value or EMPTY


def boolean(value: Any, _mark: Mark = None) -> Any:
    """A flag whose absence means no."""
    return flag(value) or EMPTY


def flag(value: Any, _mark: Mark = None) -> Any:
    """A flag that may also be unset."""
    if isinstance(value, str):
        value = to_bool(value)
    if not isinstance(value, bool):
        raise wrong("a boolean", value)
    return value


def integer(value: Any, _mark: Mark = None) -> Any:
    """A whole number whose absence means zero."""
    return number(value) or EMPTY


def number(value: Any, _mark: Mark = None) -> Any:
    """A whole number that may also be unset."""
    if isinstance(value, str):
        return to_int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("a whole number", value)
    return _in_64_bits(value)


def _in_64_bits(value: float) -> int:
    """A number too large for Compose comes out as its 64 bits happen to read."""
    if isinstance(value, float):
        return int(value) if -(2.0**63) <= value < 2.0**63 else -(2**63)
    return (value + 2**63) % 2**64 - 2**63


def count(value: Any, _mark: Mark = None) -> Any:
    """A whole number from zero that may also be unset."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise wrong("a whole number from 0", value)
    return int(value)


def natural(value: Any, _mark: Mark = None) -> Any:
    """A whole number from zero whose absence means zero."""
    return count(value) or EMPTY


def single(value: Any, _mark: Mark = None) -> Any:
    """A number of 32 bits whose absence means zero."""
    if isinstance(value, str):
        value = to_float32(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("a number", value)
    return Single(float32(float(value))) or EMPTY


def cpus(value: Any, _mark: Mark = None) -> Any:
    """A number of processors as number or text."""
    return single(to_float(value) if isinstance(value, str) else value)


def size(value: Any, _mark: Mark = None) -> Any:
    """A number of bytes, or a text such as `1.5gb`; other types count as nothing."""
    if isinstance(value, str):
        return Bytes(parse_bytes(value)) or EMPTY
    whole = isinstance(value, int) and not isinstance(value, bool) and value < 2**63
    return Bytes(value) or EMPTY if whole else EMPTY


def duration(value: Any, _mark: Mark = None) -> Any:
    """A span such as `1m30s` that may also be unset."""
    return Duration(parse_duration(sprint(value)))


def span(value: Any, _mark: Mark = None) -> Any:
    """A span whose absence means zero."""
    return duration(value) or EMPTY


def mode(value: Any, _mark: Mark = None) -> Any:
    """The permissions of a file: a number, or octal text."""
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?[0-7]+", value):
            raise wrong("octal permissions", value)
        return Mode(int(value, 8))
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("octal permissions", value)
    return Mode(value)


def device_count(value: Any, _mark: Mark = None) -> Any:
    """A number of devices, -1 for all."""
    if isinstance(value, str):
        return -1 if value.lower() == "all" else to_int(value) or EMPTY
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("`all` or a number", value)
    return value or EMPTY
