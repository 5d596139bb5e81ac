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
from auditlib.compose.shellwords import split
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
    return Bytes(value) or EMPTY if isinstance(value, int) and not isinstance(value, bool) else EMPTY


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


def texts(value: Any, _mark: Mark = None) -> Any:
    """A list of texts."""
    if not isinstance(value, Seq):
        raise wrong("a list", value)
    items = []
    for item in value:
        read = "" if item is None else text(item)
        items.append("" if read is EMPTY else read)
    return Seq(items, value.marks) if items else EMPTY


def text_or_list(value: Any, mark: Mark = None) -> Any:
    """A text or a list of texts."""
    if isinstance(value, str):
        return Seq([value], [mark])
    if isinstance(value, Seq) and all(isinstance(item, str) for item in value):
        return value if value else EMPTY
    raise wrong("a text or a list of texts", value)


def any_list(value: Any, mark: Mark = None) -> Any:
    """A text, or a list of texts and numbers, as a list of texts."""
    if isinstance(value, str):
        return Seq([value], [mark])
    if not isinstance(value, Seq):
        raise wrong("a list", value)
    return Seq([sprint(item) for item in value], value.marks) if value else EMPTY


def _pairs(value: Any, blank: str | None, trailing: bool = False) -> Map:
    """A mapping, or a list of `key=value`, as a mapping to texts; `blank` is what no value means."""
    out = Map()
    if isinstance(value, Map):
        for key, item in value.items():
            out.put(key, blank if item is None else sprint(item), value.marks.get(key))
        return out
    if not isinstance(value, Seq):
        raise wrong("a mapping or a list of key=value", value)
    for item, mark in value.entries():
        key, equals, rest = sprint(item).partition("=")
        if trailing and key and key[-1].isspace():
            raise RefusedError(f"variable {key!r} has a trailing space")
        out.put(key, rest if equals else blank, mark)
    return out


def mapping(value: Any, _mark: Mark = None) -> Any:
    """Texts by key; a key without a value has the empty text."""
    return _pairs(value, "") or EMPTY


def variables(value: Any, _mark: Mark = None) -> Any:
    """Texts by key; a key without a value stays without."""
    return _pairs(value, None, trailing=True) or EMPTY


def options(value: Any, _mark: Mark = None) -> Any:
    """Options passed on as they are."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    return _pairs(value, "") or EMPTY


def plain_mapping(value: Any, _mark: Mark = None) -> Any:
    """Texts by key, where only texts and whole numbers are allowed."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    out = Map()
    for key, item in value.items():
        read = EMPTY if item is None else text(item)
        out.put(key, "" if read is EMPTY else read, value.marks.get(key))
    return out or EMPTY


def multi_options(value: Any, _mark: Mark = None) -> Any:
    """Options that may be given more than once."""
    if not isinstance(value, Map):
        raise wrong("a mapping", value)
    out = Map()
    for key, item in value.items():
        mark = value.marks.get(key)
        items = item if isinstance(item, Seq) else Seq([item], [mark])
        out.put(key, Seq([sprint(i) for i in items], items.marks), mark)
    return out or EMPTY


def command(value: Any, mark: Mark = None) -> Any:
    """A command line; text is split into words as a shell would."""
    if isinstance(value, str):
        words = split(value)
        return Seq(words, [mark] * len(words))
    if isinstance(value, Seq):
        if not all(isinstance(item, str) for item in value):
            raise wrong("a list of texts", value)
        return value
    return EMPTY


def health_test(value: Any, mark: Mark = None) -> Any:
    """The command of a health check; text runs in a shell."""
    if isinstance(value, str):
        return Seq(["CMD-SHELL", value], [mark, mark])
    if isinstance(value, Seq) and all(isinstance(item, str) for item in value):
        return value if value else EMPTY
    raise wrong("a text or a list of texts", value)


def hosts(value: Any, _mark: Mark = None) -> Any:
    """`extra_hosts` as a sorted list of `host=address`."""
    entries: list[tuple[str, Mark]] = []
    for host, address, mark in _host_entries(value):
        if not host or ":" in host or "=" in host:
            raise RefusedError(f"expected a host name, found {host!r}")
        bracketed = len(address) > 2 and address[0] == "[" and address[-1] == "]"
        entries.append((f"{host}={address[1:-1] if bracketed else address}", mark))
    entries.sort(key=lambda entry: entry[0])
    return Seq([e for e, _ in entries], [m for _, m in entries]) if entries else EMPTY


def _host_entries(value: Any) -> list[tuple[str, str, Mark]]:
    found: list[tuple[str, str, Mark]] = []
    if isinstance(value, Map):
        for host, item in value.items():
            mark = value.marks.get(host)
            addresses = item if isinstance(item, Seq) else [item or ""]
            if not all(isinstance(a, str) for a in addresses) and not isinstance(item, Seq):
                raise wrong("an address or a list of them", item)
            found += [(host, sprint(a), mark) for a in addresses]
        return found
    if not isinstance(value, Seq):
        raise wrong("a mapping or a list", value)
    for item, mark in value.entries():
        line = sprint(item)
        separator = "=" if "=" in line else ":"
        host, there, addresses_text = line.partition(separator)
        if not there:
            raise RefusedError(f"expected host=address, found {line!r}")
        found += [(host, a, mark) for a in addresses_text.split(",")]
    return found


def ssh(value: Any, _mark: Mark = None) -> Any:
    """SSH keys of a build, sorted by name: a name, or a name with a path."""
    if not isinstance(value, Map):
        raise wrong("a mapping of SSH keys", value)
    keys = Seq()
    for name in sorted(value):
        path = "" if value[name] is None else sprint(value[name])
        keys.add((name, path), value.marks.get(name))
    return keys or EMPTY
