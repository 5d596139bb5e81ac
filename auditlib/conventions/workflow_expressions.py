"""Expressions of GitHub Actions that no parser of GitHub takes: wrong quotes, words for operators, unknown functions.

Follows https://docs.github.com/en/actions/reference/workflows-and-actions/expressions.
"""

from __future__ import annotations

import difflib
import re

from auditlib.patterns import regex

_TEXT = regex(r"'(?:[^']|'')*'")
_PARTS = regex(r"\$\{\{((?:(?!\}\}).){0,1000})\}\}", re.S)
_WORD = regex(r"(?<![\w.\[-])(?P<word>and|or|not)(?=\s+[\w('!])", re.I)
_CALL = regex(r"(?<![\w.$-])(?P<name>[A-Za-z_]\w*)\s*\(")
_OPERATORS = {"and": "&&", "or": "||", "not": "!"}
_FUNCTIONS = (
    "contains", "startsWith", "endsWith", "format", "join", "toJSON", "fromJSON", "hashFiles", "success", "always",
    "cancelled", "failure", "case",
)  # fmt: skip
_KNOWN = frozenset(name.lower() for name in _FUNCTIONS)


def of_condition(text: str) -> list[str]:
    """The expressions of an `if`, which may do without the braces."""
    return _PARTS.findall(text) if "${{" in text else [text]


def of_text(text: str) -> list[str]:
    """The expressions inside a text."""
    return _PARTS.findall(text) if "${{" in text else []


def without_texts(expression: str) -> str:
    """An expression whose texts are empty, so that no word in them is taken for one of its own."""
    return _TEXT.sub("''", expression)


def refused(expression: str) -> tuple[str, str]:
    """Why no parser takes an expression, and how it is written; two empty texts if it may."""
    bare = without_texts(expression)
    if '"' in bare:
        return "it has a text in double quotes", expression.replace('"', "'").strip()
    if match := _WORD.search(bare):
        word = match["word"]
        operator = _OPERATORS[word.lower()]
        return f"`{word}` is no operator", _WORD.sub(lambda _: operator, expression).strip()
    name = next((name for name in _CALL.findall(bare) if name.lower() not in _KNOWN), "")
    near = difflib.get_close_matches(name, _FUNCTIONS, 1) if name else []
    return (
        (f"there is no function `{name}`", expression.replace(name, *near).strip() if near else "")
        if name
        else ("", "")
    )
