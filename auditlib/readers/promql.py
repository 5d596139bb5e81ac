"""PromQL expressions, taken apart into the metrics and label matchers that they name.

Grafana puts variables into expressions (https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/);
a stand-in takes the place of each, of a kind that fits where it stands, so that the rest can be parsed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from auditlib.inventory.monitoring import LabelMatcher, Labels, Query
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.promql_growth import exceeded, grown, thin, windows
from auditlib.readers.promql_joins import joins, labels
from auditlib.readers.promql_quantiles import limits, quantile
from auditlib.readers.promql_ratios import floors_rate, ratios
from auditlib.readers.promql_shares import shares

LENGTH_LIMIT = 10_000
"""Characters of the longest expression that is parsed; the parser's time grows with the square of the length."""
DEPTH_LIMIT = 50
"""Brackets inside each other, for the same reason."""

_VARIABLE = regex(r"\$\{\w+(?:[.:][^}\n]*)?\}|\$\w+|\[\[\w+(?::\w+)?\]\]")
_STRING = regex(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`', re.S)
_PIECE = regex(rf"(?P<string>{_STRING.pattern})|(?P<variable>{_VARIABLE.pattern})", re.S)
_DURATIONS = ("interval", "range", "rate_interval", "window", "period", "resolution", "duration", "step")
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


def parse(expression: str, location: Location | None = None) -> Query:
    """The query that an expression makes. What can't be parsed keeps the reason in `error`; nothing is raised."""
    return replace(_parsed(expression.strip()), location=location)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Query:
    """The query of an expression, without a place; dashboards repeat the same ones many times."""
    if not text:
        return Query(text, (), (), "the expression is empty")
    if len(text) > LENGTH_LIMIT or _depth(text) > DEPTH_LIMIT:
        return Query(text, (), (), "the expression is too long or nested too deep to be parsed")
    stand_ins = _StandIns()
    error = ""
    for number in (False, True):
        try:
            tree = _parser().parse(stand_ins.put_into(text, number=number))
        except (ValueError, RecursionError) as reason:
            error = error or stand_ins.restore(str(reason).strip()) or "no valid PromQL"
        else:
            named, divisions = _named(_selectors(tree), stand_ins), tuple(dict.fromkeys(ratios(tree)))
            return Query(
                text,
                *named,
                ratios=divisions,
                thin=stand_ins.known(thin(tree)),
                floors_rate=floors_rate(tree),
                grown=stand_ins.known(grown(tree)),
                exceeded=stand_ins.known(exceeded(tree)),
                joins=tuple(dict.fromkeys(joins(tree))),
                labels=labels(tree) or Labels(),
                quantile=quantile(tree),
                limits=tuple(dict.fromkeys(limits(tree))),
                shares=tuple(dict.fromkeys(shares(tree))),
                windows=() if stand_ins.words or "$" in text else tuple(dict.fromkeys(windows(tree))),
            )
    return Query(text, (), (), error)


def _parser() -> Any:
    import promql_parser  # here, so that a repository without expressions never pays for it

    return promql_parser


class _StandIns(Struct):
    """The variables of one expression and the words that stand in for them."""

    words: dict[str, str] = field(default_factory=dict)

    def put_into(self, text: str, *, number: bool) -> str:
        """`text` with a word, a duration or a number for each variable; `number` for those that may be either."""
        parts: list[str] = []
        position = brackets = 0
        for match in _PIECE.finditer(text):
            before = text[position : match.start()]
            brackets += before.count("[") - before.count("]")
            parts.append(before)
            if match["string"]:
                parts.append(_VARIABLE.sub(lambda found: self._word(found[0]), match[0]))
            else:
                parts.append(self._bare(match, text, in_range=brackets > 0, number=number))
            position = match.end()
        return "".join([*parts, text[position:]])

    def _bare(self, match: re.Match[str], text: str, *, in_range: bool, number: bool) -> str:
        following = text[match.end() : match.end() + 1]
        preceding = text[: match.start()].rstrip()[-6:]
        if in_range or preceding.endswith("offset"):
            return "1" if following.isalpha() else "5m"
        if following == "(":
            return "sum"
        free = not (following.isalnum() or following in tuple("_:{[")) and not preceding[-1:].isalnum()
        if free and (number or match[0].strip("${}[]_").endswith(("_ms", "_s"))):
            return "1"
        if match[0].startswith("$__") and free:
            return "5m" if match[0][3:] in _DURATIONS else "1"
        return self._word(match[0])

    def _word(self, variable: str) -> str:
        return self.words.setdefault(variable, f"auditlib_variable_{len(self.words)}_")

    def restore(self, text: str) -> str:
        """`text` with the variables in the place of their words again."""
        for variable, word in self.words.items():
            text = text.replace(word, variable)
        return text

    def known(self, names: Iterable[str]) -> tuple[str, ...]:
        """Each name once, less those of which a variable is a part."""
        return tuple(dict.fromkeys(name for name in names if not self.stand_in(name)))

    def stand_in(self, text: str) -> bool:
        """Whether a name is not known, because a variable is a part of it."""
        return "auditlib_variable_" in text


def _depth(text: str) -> int:
    """How deep the brackets and the signs of an expression are nested."""
    deepest = depth = 0
    for bracket in re.findall(r"[()\[\]{}]", text):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest


def _selectors(tree: Any) -> Iterable[Any]:
    """The vector selectors of an expression. The parser's own `walk` copies the tree at every step."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if type(node).__name__ == "VectorSelector":
            yield node
            continue
        for name in ("rhs", "param", "expr", "vector_selector", "lhs"):
            if (child := getattr(node, name, None)) is not None:
                stack.append(child)
        stack.extend(reversed(getattr(node, "args", None) or ()))


def _named(selectors: Iterable[Any], stand_ins: _StandIns) -> tuple[tuple[str, ...], tuple[LabelMatcher, ...]]:
    """Each metric once, each matcher once, in the order in which the expression names them."""
    metrics: dict[str, None] = {}
    matchers: dict[LabelMatcher, None] = {}
    for selector in selectors:
        found = [*selector.matchers.matchers, *(item for group in selector.matchers.or_matchers for item in group)]
        names = [selector.name, *(item.value for item in found if item.name == "__name__" and _operator(item) == "=")]
        metrics.update(dict.fromkeys(name for name in names if name and not stand_ins.stand_in(name)))
        for item in found:
            matcher = LabelMatcher(stand_ins.restore(item.name), _operator(item), stand_ins.restore(item.value))
            if item.name != "__name__" or matcher.operator != "=":
                matchers[matcher] = None
    return tuple(metrics), tuple(matchers)


def _operator(matcher: Any) -> str:
    return _OPERATORS[str(matcher.op).rpartition(".")[2]]
