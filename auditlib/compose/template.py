"""`$VAR` and `${VAR…}` in a text: what they stand for, and which variables a text refers to.

Follows compose-go's `template` package to the letter, its corners included: which operator a `${…}` has is decided by
the first operator anywhere in it, and a brace right after `{` counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditlib.patterns import regex

Lookup = Callable[[str], str | None]
"""The value of a variable, `None` if it is not set."""

_PATTERN = regex(
    r"\$(?i:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?:(?P<braced>[_a-z][_a-z0-9]*(?::?[-+?](.*))?)\}|(?P<invalid>)))"
)
_OPERATORS = (":?", "?", ":-", "-", ":+", "+")
_NAME = regex(r"[A-Za-z0-9_]*")
_BRACES = regex(r"\$\{|\}")
_NESTING = 50
_COUNT = 10_000
_WORK = 10**8


class InvalidTemplateError(ValueError):
    """A `$` that starts no variable; `$$` is a literal one."""


class MissingRequiredError(ValueError):
    """A `${VAR:?…}` or `${VAR?…}` whose variable has no value."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One `$VAR` or `${VAR…}` of a text. `start` and `end` are offsets of the whole expression."""

    name: str
    operator: str
    argument: str
    start: int
    end: int

    @property
    def default(self) -> str | None:
        """The text that stands in for a missing value, if there is one."""
        return self.argument if self.operator in ("-", ":-") else None

    @property
    def required(self) -> bool:
        """Whether Compose refuses to go on without a value."""
        return self.operator in ("?", ":?")


def substitute(template: str, lookup: Lookup, unset: Callable[[str], None] | None = None) -> str:
    """The text with its variables replaced. `unset` hears of each variable that became blank for want of a value."""
    if _too_much(template):
        raise InvalidTemplateError(template)
    out: list[str] = []
    position = 0
    while (match := _PATTERN.search(template, position)) is not None:
        out.append(template[position : match.start()])
        closing = _closing_brace(match[0])
        expression = match[0] if closing < 0 else match[0][: closing + 1]
        position = match.start() + len(expression)
        out.append(_replacement(expression, _operator(match[0]), lookup, unset))
    return "".join([*out, template[position:]])


def _too_much(text: str) -> bool:
    """Whether a text has more variables, or nests them deeper, than a person writes."""
    count = text.count("${")
    if count <= _NESTING:
        return False
    depth = deepest = 0
    for brace in _BRACES.finditer(text):
        depth = depth + 1 if brace[0] == "${" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return count > _COUNT or count * len(text) > _WORK or deepest > _NESTING


def _replacement(expression: str, operator: str, lookup: Lookup, unset: Callable[[str], None] | None) -> str:
    match = _PATTERN.match(expression)
    if match is None:
        raise InvalidTemplateError(expression)
    if match["escaped"]:
        return "$"
    name: str = match["named"] or match["braced"] or ""
    if not name:
        raise InvalidTemplateError(expression)
    if match["braced"] and operator and operator in name:
        return _apply(operator, name, lookup, unset)
    value = lookup(name)
    if value is None and unset is not None:
        unset(name)
    return value or ""


def _apply(operator: str, braced: str, lookup: Lookup, unset: Callable[[str], None] | None) -> str:
    name, _, argument = braced.partition(operator)
    argument = substitute(argument, lookup, unset)
    value = lookup(name)
    there = value is not None and (value != "" or len(operator) == 1)
    if operator in ("?", ":?"):
        if not there:
            raise MissingRequiredError(
                f"required variable {name} is missing a value" + (f": {argument}" if argument else "")
            )
        return value or ""
    if operator in ("+", ":+"):
        return argument if there else value or ""
    return value or "" if there else argument


def _operator(expression: str) -> str:
    """The operator that occurs first; `:?` before `?` where both begin."""
    found = [(position, operator) for operator in _OPERATORS if (position := expression.find(operator)) >= 0]
    return min(found)[1] if found else ""


def _closing_brace(text: str) -> int:
    depth, index = 0, 0
    while index < len(text):
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        elif text[index] == "{":
            depth += 1
            index += 1
        index += 1
    return -1


def references(text: str, base: int = 0) -> Iterator[Reference]:
    """Every variable that a text refers to, those within defaults included, in the order in which they stand."""
    position = len(text) if _too_much(text) else 0
    while (match := _PATTERN.search(text, position)) is not None:
        expression = match[0]
        closing = _closing_brace(expression) if not match["named"] else -1
        inner = match["named"] or (expression[2:closing] if closing > 0 else match["braced"]) or ""
        length = closing + 1 if closing > 0 else len(expression)
        position = match.start() + length
        if inner and not match["escaped"]:
            start = base + match.start()
            yield from _reference(inner, start, start + length, braced=not match["named"])


def _reference(inner: str, start: int, end: int, *, braced: bool) -> Iterator[Reference]:
    name_match = _NAME.match(inner)
    name = name_match[0] if name_match else inner
    after = inner[len(name) :]
    operator = next((o for o in _OPERATORS if after.startswith(o)), "")
    argument = after[len(operator) :] if operator else ""
    yield Reference(name, operator, argument, start, end)
    if argument:
        yield from references(argument, start + (2 if braced else 1) + len(name) + len(operator))
