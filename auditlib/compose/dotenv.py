"""The grammar of Compose's env files: quotes, escapes, several lines, `export`, comments, references to earlier lines.

Follows compose-go's `dotenv` package (itself from godotenv) and, for `format: raw`, docker's `kvfile`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from auditlib.compose.template import InvalidTemplateError, Lookup, MissingRequiredError, substitute
from auditlib.patterns import regex

_SPACE = "\t\v\f\r \x85\xa0"
_ALL_SPACE = (
    _SPACE + "\n\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_ESCAPE = regex(r"\\(?:[abcfnrtv$\"\\]|0\d{0,3})", re.ASCII)
_EXPORT = regex(r"export[\t\n\f\r ]+")
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}


class DotenvError(ValueError):
    """A line that Compose cannot read; `offset` is where it starts in the text."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


VARIABLE_LIMIT = 5_000
"""Variables of one file, hundreds of times what people write; Compose itself has no limit."""


class Assignment(Struct, frozen=True):
    """One variable of an env file. `start` to `end` is its value in the text (the name, if there is no value)."""

    name: str
    value: str
    start: int
    end: int
    raw: str
    quote: str = ""


def parse(
    text: str, known: dict[str, str], lookup: Lookup, unset: Callable[[str], None] | None = None
) -> Iterator[Assignment]:
    """The assignments of a text in order. `known` is what earlier lines set, and grows; `lookup` comes before it."""

    def find(key: str) -> str | None:
        value = lookup(key)
        return known.get(key) if value is None else value

    position = _statement(text, 0)
    while position < len(text):
        name = _name(text, position)
        if name.inherits:
            found, after = _inherited(name, lookup), name.after
        else:
            found, after = _assigned(text, name, find, unset)
            if len(known) >= VARIABLE_LIMIT:
                raise DotenvError(f"more than {VARIABLE_LIMIT} variables", name.at)
        if found is not None:
            known[found.name] = found.value
            yield found
        position = _statement(text, after)


def _inherited(name: _Name, lookup: Lookup) -> Assignment | None:
    """What a bare name takes from around it, if it is there."""
    value = lookup(name.text)
    return None if value is None else Assignment(name.text, value, name.at, name.at + len(name.text), "")


def _assigned(text: str, name: _Name, find: Lookup, unset: Callable[[str], None] | None) -> tuple[Assignment, int]:
    """The value after a name and its sign, and where to read on."""
    raw, quote, start, end, position = _value(text, name.after)
    try:
        value = substitute(_escapes(raw) if quote else raw, find, unset) if quote != "'" else raw
    except MissingRequiredError as error:
        raise DotenvError(f"{name.text}: {error}", start) from None
    except InvalidTemplateError:
        raise DotenvError(f"{name.text}: not a variable; a literal $ is written $$", start) from None
    return Assignment(name.text, value, start if end > start else name.at, end, raw, quote), position


def _statement(text: str, position: int) -> int:
    """Where the next assignment starts: past white space and whole-line comments."""
    while position < len(text):
        if text[position] in _ALL_SPACE:
            position += 1
        elif text[position] == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
        else:
            break
    return position


class _Name(Struct, frozen=True):
    """A variable's name, where it stands, and where its value may start; one without a sign inherits its value."""

    text: str
    at: int
    after: int
    inherits: bool


def _name(text: str, position: int) -> _Name:
    """The name that stands at a position."""
    position = _after_export(text, position)
    sign = _sign(text, position)
    if position >= len(text):
        raise DotenvError("zero length string", len(text) - 1)
    if sign is None:
        return _Name("", position, _after_space(text, position), False)
    name = text[position:sign].rstrip(_ALL_SPACE)
    if " " in name:
        raise DotenvError("a variable's name cannot contain a space", position)
    return _Name(name, position, _after_space(text, sign + 1), text[sign] == "\n")


def _after_export(text: str, position: int) -> int:
    return _after_space(text, position + len("export")) if _EXPORT.match(text, position) else position


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _sign(text: str, position: int) -> int | None:
    """Where the name's sign stands, or the end of its line."""
    for index in range(position, len(text)):
        char = text[index]
        if char in "=:\n":
            return index
        if char not in _SPACE and char not in "_.-[]" and not (char.isalpha() or char.isnumeric()):
            raise DotenvError(f"unexpected character {char!r} in a variable's name", position)
    return None


def _value(text: str, position: int) -> tuple[str, str, int, int, int]:
    """The raw value, its quote, its place in the text, and where to read on."""
    if position >= len(text) or text[position] not in "'\"":
        newline = text.find("\n", position)
        stop = len(text) if newline < 0 else newline
        raw = text[position:stop].split(" #", 1)[0].rstrip(_ALL_SPACE)
        return raw, "", position, position + len(raw), min(stop + 1, len(text))
    quote = text[position]
    chars: list[str] = []
    escaped = False
    for index in range(position + 1, len(text)):
        char = text[index]
        if char == quote and not escaped:
            return "".join(chars), quote, position, index + 1, index + 1
        if char != quote:
            if not escaped and char == "\\":
                escaped = True
                continue
            if escaped:
                chars.append("\\")
        escaped = False
        chars.append(char)
    raise DotenvError("the value's closing quote is missing", position)


def _escapes(value: str) -> str:
    def replace(match: re.Match[str]) -> str:
        escape = match[0]
        if escape == "\\$":
            return "$$"
        if escape[1] in _PLAIN:
            return _PLAIN[escape[1]]
        if (
            escape[1] == "0"
            and len(escape) == 5
            and all(c in "01234567" for c in escape[2:])
            and int(escape[2:], 8) < 256
        ):
            return chr(int(escape[2:], 8))
        return _unread(escape)

    return _ESCAPE.sub(replace, value)


def _unread(escape: str) -> str:
    """An octal escape that Go cannot read comes out with its `\\0` shortened to `\\`."""
    return "\\" + escape[2:] if escape.startswith("\\0") else escape


def parse_raw(text: str, known: dict[str, str], lookup: Lookup) -> Iterator[Assignment]:
    """`format: raw`: a name and everything after `=` on each line, nothing interpreted."""
    position = 0
    for line in text.split("\n"):
        start, position = position, position + len(line) + 1
        body = line.removesuffix("\r").lstrip(_ALL_SPACE)
        if not body or body.startswith("#"):
            continue
        name, equals, value = body.partition("=")
        if not name or any(c in _ALL_SPACE for c in name):
            raise DotenvError("a variable's name is empty or contains white space", start)
        if not equals:
            inherited = lookup(name)
            if inherited is None:
                continue
            value = inherited
        known[name] = value
        at = start + line.find("=") + 1 if equals and value else start
        yield Assignment(name, value, at, start + len(line), value if equals else "")
