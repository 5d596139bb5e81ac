"""How far a value goes: in quotes, or bare as far as its syntax has it."""

from __future__ import annotations

import re

from auditlib.patterns import regex

Span = tuple[int, int]

TAG = r"(?:[!&][\w!/:-]{0,40}[ \t]{1,9})?"
"""The tag or anchor that YAML allows before a value."""
WORD = regex(r"<[^<>\n]{1,100}>|[^\s,;]{1,4000}")
LINE = regex(r"[^\n]{1,4000}")
_UNTIL = {
    '"': regex(r'(?:\\.|[^"\\\n])*+'),
    "'": regex(r"(?:\\.|''|[^'\\\n])*+"),
    "`": regex(r"[^`\n]*+"),
}
_OPENING = {")": "(", "]": "[", "}": "{", ">": "<"}
_BACK = 300
"""Characters before a name that are looked at for the beginning of its line."""


def line_start(text: str, position: int) -> int:
    """Where the line begins; in the midst of a long one, where what is looked at begins."""
    first = max(0, position - _BACK)
    return max(text.rfind("\n", first, position) + 1, first)


def in_string(text: str, begin: int, end: int) -> bool:
    """Whether a name of code stands within a string, together with what follows it."""
    before = text[line_start(text, begin) : begin]
    return text[end : end + 1] not in ('"', "'", "`") and any(
        before.replace(f"\\{quote}", "").count(quote) % 2 for quote in "\"'`"
    )


def quoted(text: str, start: int, quote: str) -> Span:
    """What stands in quotes, up to the closing one or the end of the line; three quotes may hold several lines."""
    mark = quote[-1]
    if quote != mark:  # escaped, as the whole stands in a string itself
        end = text.find(quote, start, start + 10_000)
        return start, max(end, start)
    if text[start : start + 2] == mark * 2:
        end = text.find(mark * 3, start + 2)
        return (start + 2, end) if 0 <= end - start < 10_000 else (start, start)
    match = _UNTIL[mark].match(text, start, start + 10_000)
    return start, match.end() if match else start


def trimmed(text: str, start: int, pattern: re.Pattern[str]) -> Span:
    """A bare value, without the comment, the bracket or the further parameter behind it."""
    match = pattern.match(text, start)
    value = match[0] if match else ""
    value = re.split(r"\s#|&\w+=|\\n", value, maxsplit=1)[0].rstrip()
    while value and (value[-1] in "\"'`\\" or (value[-1] in ")]}>" and value.count(_OPENING[value[-1]]) == 0)):
        value = value[:-1]
    return start, start + len(value)
