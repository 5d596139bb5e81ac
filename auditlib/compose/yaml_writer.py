"""YAML as Compose writes it: block style, two spaces, lists indented, quotes where go-yaml puts them.

Every line is given with the key path that it is about, so that a caller can say where the line came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, cmp_to_key
from typing import Any

from auditlib.compose.errors import Path
from auditlib.compose.floats import yaml_text
from auditlib.compose.values import Single
from auditlib.compose.yaml_scalars import Timestamp, plain
from auditlib.patterns import regex

Line = tuple[str, Path]
_OLD_BOOLS = frozenset(
    word for base in ("y", "yes", "on", "n", "no", "off") for word in (base, base.title(), base.upper())
)
_BASE_60 = regex(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z")
_INDICATORS = "#,[]{}&*!|>'\"%@`"
_ESCAPES = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", "\x1b": "e",
            '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P"}  # fmt: skip


def lines(value: Any, path: Path = (), indent: int = 0) -> Iterator[Line]:
    """The lines of a value; dictionaries keep their order."""
    pad = " " * indent
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{pad}{_key(key)}", item, (*path, key), indent, indent + 2)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            here = (*path, index)
            if isinstance(item, dict | list) and item:
                below = list(lines(item, here, indent + 2))
                yield f"{pad}- {below[0][0].lstrip(' ')}", below[0][1]
                yield from below[1:]
            else:
                yield from _scalar_lines(f"{pad}-", item, here, indent + 2)
    else:
        yield from _scalar_lines(pad, value, path, indent)


def _entry(head: str, item: Any, path: Path, indent: int, inner: int) -> Iterator[Line]:
    if isinstance(item, dict | list) and item:
        yield f"{head}:", path
        yield from lines(item, path, inner)
    else:
        yield from _scalar_lines(f"{head}:", item, path, indent + 2)


def _scalar_lines(head: str, value: Any, path: Path, indent: int) -> Iterator[Line]:
    first, *rest = scalar(value, indent).split("\n")
    yield (f"{head} {first}" if head.strip() else head + first), path
    for line in rest:
        yield line, path


def _key(key: str) -> str:
    return scalar(key, 0, key=True)


def scalar(value: Any, indent: int, *, key: bool = False) -> str:
    """A value without parts. A text with line breaks becomes a literal block with `indent` spaces before each line."""
    if isinstance(value, str) and not isinstance(value, Timestamp):
        return _text(value, indent, key=key)
    if isinstance(value, float):
        return yaml_text(value, single=isinstance(value, Single))
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str, indent: int, *, key: bool) -> str:
    if "\n" in value:
        return _block(value, indent) if not key and _block_allowed(value) else _double(value)
    if type(plain(value)) is not str or value in _OLD_BOOLS or _BASE_60.match(value):
        return _double(value)
    if _plain_allowed(value):
        return value
    return _double(value) if _needs_escapes(value) or "\t" in value else "'" + value.replace("'", "''") + "'"


def _plain_allowed(text: str) -> bool:
    if text[0] in _INDICATORS or text[0] == " " or text[-1] == " " or text.startswith(("---", "...")):
        return False
    if text[0] in "-?:" and (len(text) == 1 or text[1] in " \t"):
        return False
    return not (": " in text or text.endswith(":") or " #" in text or "\t" in text or _needs_escapes(text))


def _needs_escapes(text: str) -> bool:
    return bool(_unprintable().search(text.replace("\t", "")))


@cache
def _unprintable() -> re.Pattern[str]:
    """What go-yaml escapes: also everything beyond the basic plane, such as an emoji.

    So large a class of characters takes a while to compile, for which only who writes YAML waits.
    """
    return re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")


def _printable(char: str) -> bool:
    return not _unprintable().match(char)


def _block_allowed(text: str) -> bool:
    """Not with a space before a line break or at the end, nor with what only an escape can say."""
    return not (text.endswith(" ") or " \n" in text or _needs_escapes(text.replace("\n", "")))


def _block(text: str, indent: int) -> str:
    hint = "2" if text[0] in " \n" else ""
    chomp = "-" if not text.endswith("\n") else "+" if text == "\n" or text.endswith("\n\n") else ""
    pad = " " * indent
    body = [pad + line if line else "" for line in text.removesuffix("\n").split("\n")]
    return "\n".join([f"|{hint}{chomp}", *body])


def _double(text: str) -> str:
    out = []
    for char in text:
        if char in _ESCAPES:
            out.append("\\" + _ESCAPES[char])
        elif _printable(char):
            out.append(char)
        else:
            code = ord(char)
            out.append(f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}")
    return '"' + "".join(out) + '"'


def _compare(left: str, right: str) -> int:
    """go-yaml's order of keys: letters after other characters, runs of digits by their number."""
    digits = False
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            digits = a.isdigit()
            continue
        if a.isalpha() and b.isalpha():
            return -1 if a < b else 1
        if a.isalpha() or b.isalpha():
            return -1 if (a.isalpha() if digits else b.isalpha()) else 1
        zero = a == "0" or b == "0"
        carried = zero and bool(re.search(r"[1-9][0-9]*\Z", left[:i]))
        first, first_end = _digits(left, i, carried)
        second, second_end = _digits(right, i, carried)
        if first != second:
            return -1 if first < second else 1
        if first_end != second_end:
            return -1 if first_end < second_end else 1
        return -1 if a < b else 1
    return len(left) - len(right)


def _digits(text: str, start: int, carried: bool) -> tuple[int, int]:
    number, end = int(carried), start
    while end < len(text) and text[end].isdigit() and end - start < 18:
        number = number * 10 + ord(text[end]) - 48
        end += 1
    return number, end


_ORDER = cmp_to_key(_compare)


def ordered(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping with its keys in the order in which go-yaml writes a map."""
    return {key: mapping[key] for key in sorted(mapping, key=_ORDER)}


def deeply_ordered(value: Any) -> Any:
    """Every mapping of a value in that order."""
    if isinstance(value, dict):
        return {k: deeply_ordered(v) for k, v in ordered(value).items()}
    return [deeply_ordered(v) for v in value] if isinstance(value, list) else value
