"""Which metrics an expression takes for counters, and which it holds against a number as they stand.

Follows https://prometheus.io/docs/prometheus/latest/querying/functions/#rate and
https://prometheus.io/docs/concepts/metric_types/#counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.readers.promql_ratios import walk

_GROWTH = frozenset({"rate", "irate", "increase"})
_KEEPING = frozenset({"sum", "max"})
"""Aggregations of counters that only grow as well."""
_ABOVE = frozenset({">", ">="})
_COMPARISONS = frozenset({">", ">=", "<", "<=", "==", "!="})


def grown(tree: Any) -> Iterator[str]:
    """The metrics below `rate`, `irate` or `increase`."""
    for node in walk(tree):
        if type(node).__name__ == "Call" and node.func.name in _GROWTH and node.args:
            selector = getattr(node.args[0], "vector_selector", None)
            if name := _name(selector):
                yield name


def windows(tree: Any) -> Iterator[tuple[str, float]]:
    """The same metrics, each with the seconds of the window in which its growth is asked for."""
    for node in walk(tree):
        if type(node).__name__ == "Call" and node.func.name in _GROWTH and node.args:
            window = node.args[0]
            if type(window).__name__ == "MatrixSelector" and window.vector_selector.name:
                yield window.vector_selector.name, window.range.total_seconds()


def exceeded(tree: Any) -> Iterator[str]:
    """The metrics on the left of `>` with a number on its right, with nothing but sums around them."""
    for node in walk(tree):
        above = type(node).__name__ == "BinaryExpr" and str(node.op) in _ABOVE and _is_number(node.rhs)
        if above and (name := _name(_within(node.lhs))):
            yield name


def thin(tree: Any) -> Iterator[str]:
    """The counters whose growth in part is divided by their growth in all, where no comparison asks for either."""
    compared = [node for node in walk(tree) if str(getattr(node, "op", "")) in _COMPARISONS]
    sides = [side for node in compared for side in (node.lhs, node.rhs)]
    if any(next(grown(side), "") and not _divides(side) for side in sides):
        return
    for node in walk(tree):
        if _is_division(node):
            all_of_them = set(grown(node.rhs))
            yield from (name for name in grown(node.lhs) if name in all_of_them)


def _is_division(node: Any) -> bool:
    return type(node).__name__ == "BinaryExpr" and str(node.op) == "/"


def _divides(tree: Any) -> bool:
    return any(_is_division(node) for node in walk(tree))


def _is_number(node: Any) -> bool:
    return type(node).__name__ == "NumberLiteral"


def _within(node: Any) -> Any:
    """What stands in brackets, or what a sum is over."""
    while type(node).__name__ == "ParenExpr" or str(getattr(node, "op", "")) in _KEEPING:
        node = node.expr
    return node


def _name(node: Any) -> str:
    """The metric of a selector of the present; empty for anything else."""
    now = type(node).__name__ == "VectorSelector" and not getattr(node, "offset", None)
    return (node.name or "") if now else ""
