"""Finds the secret that a text for people names: `the password is …`, a cell of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.secret_spans import literals, sentences

Span = tuple[int, int]

_TOLD = regex(r"""["'`*]{0,3}\s{1,9}(?:E(?='))?(?P<quote>["'`])(?P<value>[^"'`\n]{1,200})(?P=quote)""")
_PASSWORD = regex(r"(?:.*[_-])?(?:password|passwd|passphrase|pwd)", re.I)
_SET = regex(r"\b(?:set|change)\s+(?:the\s+)?[\"'`]?\Z", re.I)
_SET_TO = regex(r"""["'`]?\s+to\s+(?P<quote>["'`])(?P<value>[^"'`\n]{1,200})(?P=quote)""")
_HTML_CELL = regex(r"</t[dh]>\s{0,200}<t[dh]>(?:<code>)?(?P<value>[^<>\n]{1,200})<")
_LABEL = regex(r":?(?:</\w{1,10}>|\*\*|__):?[ \t]{1,9}(?P<value>[^\s<>`]{1,200})(?:\n|$)")


def described(text: str, name: str, begin: int, end: int, *, code: bool = False) -> Iterator[Span]:
    """What follows a name in a sentence, a definition or a table; of code a sentence in its comments."""
    told = (_TOLD.match(text, end) or sentences.told(text, begin, end, code)) if _PASSWORD.fullmatch(name) else None
    told = told or (_SET_TO.match(text, end) if _SET.search(text, max(0, begin - 20), begin) else None)
    if match := told or _HTML_CELL.match(text, end) or _LABEL.match(text, end):
        yield match.span("value")
    elif text[end : end + 20].lstrip("`* \t").startswith("|"):
        yield from _beside(text, begin, end)
        yield from _below(text, begin)


_CELL = regex(r"[`*]{0,3}[ \t]{0,40}\|[ \t]{0,40}(?P<tick>`?)(?P<value>[^\s|`]{1,200})`?[ \t]{0,40}(?:\||$)", re.M)
_ROW = regex(r"[ \t]*\|[^\n]{0,500}")
_RULE = regex(r"[ \t]*\|?[ \t:|-]+\|[ \t:|-]*")
_HEADED = regex(r"value|default|example|password|secret", re.I)
_ROWS = 60


def _beside(text: str, begin: int, end: int) -> Iterator[Span]:
    """The next cell of a row, where its column is one of values or its form is one."""
    match = _CELL.match(text, end)
    if match and (match["tick"] or any(map(str.isdigit, match["value"])) or _HEADED.search(_heading(text, begin, end))):
        yield match.span("value")


def _heading(text: str, begin: int, end: int) -> str:
    """The heading of the column after the one that a name stands in."""
    start = literals.line_start(text, begin)
    column = text.count("|", start, end) + 1
    for _ in range(_ROWS):
        above = literals.line_start(text, start - 1) if start else 0
        if start == 0 or not _ROW.match(text, above):
            break
        start = above
    cells = (_ROW.match(text, start) or [""])[0].split("|")
    return cells[column] if column < len(cells) else ""


def _below(text: str, begin: int) -> Iterator[Span]:
    """The cells below a heading, in the rows after the rule."""
    start = literals.line_start(text, begin)
    heading = _ROW.match(text, start)
    rule = _RULE.match(text, heading.end() + 1) if heading else None
    if heading is None or rule is None:
        return
    column, position = text.count("|", start, begin), rule.end() + 1
    for _ in range(_ROWS):
        row = _ROW.match(text, position)
        if row is None:
            return
        yield from _cell(row, column)
        position = row.end() + 1


def _cell(row: re.Match[str], column: int) -> Iterator[Span]:
    cells = row[0].split("|")
    if column < len(cells) and " " not in cells[column].strip():
        start = row.start() + sum(len(cell) + 1 for cell in cells[:column])
        value = cells[column].strip(" \t`*")
        start += cells[column].find(value)
        yield start, start + len(value)
