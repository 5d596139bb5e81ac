"""Where a shell script under `set -e` ends without meaning to.

Follows the Bash manual, "The Set Builtin" (`-e`) and "Shell Arithmetic".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.inventory.delivery import Pair
from auditlib.model import Location
from auditlib.patterns import regex

_LINE = 2_000
_MOST_LINES = 3_000
_STRICT = regex(r"\s*set\s+-(?:[a-z]*e[a-z]*\b|o\s+errexit)|#!.*\bbash\s+-[a-z]*e")
_FUNCTION = regex(r"(?:function\s+)?(?P<name>[\w-]+)\s*\(\)")
_NUMBER = regex(r"(?:^|[\s;])(\w+)=[\"']?(\d+)[\"']?(?=$|[\s;])")
_ASSIGNS = regex(r"(?:^|[\s;(])(?:(?:read|for)\s+(?:-\w+\s+)*)?(\w+)(?:\s*[-+*/%]?=(?!=)|\s+in\b|(?=\s*$))")
"""What may give a variable a value that isn't known."""
_LENIENT = regex(r"\s*set\s+\+(?:[a-z]*e[a-z]*\b|o\s+errexit)")
_COUNTS = regex(r"\s*\(\(\s*(?P<name>\w+)\+\+\s*\)\)\s*(?:;|#|$)")
_CONDITION = regex(
    r"\s*(?:\[\[? .{1,300} \]\]?|test\s.{1,300}?|\(\(.{1,200}\)\)|\$\{?\w+\}?)\s*&&(?P<then>[^|&]{1,300})$"
)
"""A line that is a condition and what is done where it holds."""
_PLAIN_CALL = regex(r"\s*(?P<name>[\w-]+)(?:\s+[^|&;()]*)?$")
_DEEPEST = 6


def at_zero(file: str, text: str) -> Iterator[Location]:
    """The first `((name++))` after `name=0`: its value is the old one, zero, which bash takes for a failure."""
    values: dict[str, str] = {}
    function, strict = "", False
    for number, line in enumerate((line[:_LINE] for line in text.splitlines()), 1):
        if opened := _FUNCTION.match(line):
            function = opened["name"]
        values |= dict.fromkeys(_ASSIGNS.findall(line), "") | dict(_NUMBER.findall(line))
        counts = _COUNTS.match(line)
        if counts and strict and values.pop(counts["name"], "") == "0" and not _is_asked(text, function):
            yield Location(file, number)
        strict = bool(_STRICT.match(line)) or (strict and not _LENIENT.match(line))


def at_condition(file: str, text: str) -> Iterator[Pair]:
    """The functions, called plainly under `set -e`, whose status is that of a condition: where it doesn't hold, the
    call is a failure, at which the script ends.
    """
    lines = [line[:_LINE] for line in text.splitlines()]
    if not any(map(_STRICT.match, lines)) or "set +e" in text:
        return
    plain = {match["name"] for line in lines if (match := _PLAIN_CALL.match(line))}
    name, start = "", 0
    for number, line in enumerate(lines[:_MOST_LINES]):
        if (opened := _FUNCTION.match(line)) and line.rstrip().endswith(("{", ")")):
            name, start = opened["name"], number
        elif line.startswith("}") and name:
            for last in _last(lines, start, number):
                found = _CONDITION.match(lines[last].partition(" #")[0])
                goes_on = lines[last - 1].rstrip().endswith(("\\", "&&", "||", "|"))
                if found and not goes_on and name in plain and not _is_asked(text, name):
                    yield Pair(name, lines[last].strip()[:120], Location(file, last + 1))
                    break
            name = ""


def _last(lines: list[str], start: int, end: int, depth: int = 0) -> Iterator[int]:
    """The lines that may be the last to run of those between two, each of the branches of an `if` at their end."""
    last = next((index for index in range(end - 1, start, -1) if _says(lines[index])), 0)
    if not last or lines[last].strip() != "fi" or depth > _DEEPEST:
        yield from [last] if last else []
        return
    margin = _indent(lines[last])
    until = last
    for index in range(last - 1, start, -1):
        word = lines[index].split(maxsplit=1)[:1]
        if word and word[0] in ("if", "elif", "else") and _indent(lines[index]) == margin:
            yield from _last(lines, index, until, depth + 1)
            until = index
            if word == ["if"]:
                return


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _says(line: str) -> bool:
    """Whether a line is more than a comment."""
    text = line.strip()
    return bool(text) and not text.startswith("#")


def _is_asked(text: str, function: str) -> bool:
    """Whether a function is called where its status is asked for, so that `set -e` is off in it."""
    if not function:
        return False
    name = re.escape(function)
    return bool(re.search(rf"(?:\b(?:if|while|until)|!|&&|\|\|)\s+{name}\b|^\s*{name}\b[^\n]*(?:&&|\|\|)", text, re.M))
