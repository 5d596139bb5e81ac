"""The places of an expression at which two series have to match by all their labels, as far as aggregations tell those.

Follows https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from auditlib.inventory.monitoring import Join, Labels
from auditlib.readers.promql_ratios import walk

_AGGREGATING = frozenset({"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile"})
_KEEPING = frozenset({
    "rate", "irate", "increase", "delta", "idelta", "deriv", "abs", "ceil", "floor", "round", "clamp", "clamp_min",
    "clamp_max", "sqrt", "ln", "log2", "log10", "exp", "avg_over_time", "max_over_time", "min_over_time",
    "sum_over_time", "last_over_time",
})  # fmt: skip
"""Functions that leave each series its labels."""
_UNKNOWN = Labels()


def joins(tree: Any) -> Iterator[Join]:
    """The operations on two vectors without `on` and `ignoring`, those apart that need no match."""
    for node in walk(tree):
        plain = type(node).__name__ == "BinaryExpr" and _is_plain(node) and str(node.op) not in ("or", "unless")
        left, right = (labels(node.lhs), labels(node.rhs)) if plain else (None, None)
        if left and right and _UNKNOWN not in (left, right):
            yield Join(str(node.op), left, right)


def labels(node: Any) -> Labels | None:
    """The labels of what an expression gives; None for a number."""
    kind = type(node).__name__
    if kind in ("ParenExpr", "UnaryExpr", "SubqueryExpr"):
        return labels(node.expr)
    if kind == "MatrixSelector":
        return labels(node.vector_selector)
    if kind in _READ:
        return _READ[kind](node)
    return None if kind in ("NumberLiteral", "StringLiteral") else _UNKNOWN


def _is_plain(node: Any) -> bool:
    """Whether nothing says by which labels the sides match; the operators for sets have an empty modifier."""
    return node.modifier is None or str(node.modifier) in ("", "bool")


def _selected(node: Any) -> Labels:
    return Labels(metric=node.name or "")


def _aggregated(node: Any) -> Labels:
    by = node.modifier is None or str(node.modifier.type).endswith("By")
    if str(node.op) not in _AGGREGATING or not by:
        return _UNKNOWN
    return Labels(known=True, names=tuple(sorted(node.modifier.labels)) if node.modifier else ())


def _called(node: Any) -> Labels | None:
    name = node.func.name
    if name == "histogram_quantile" and len(node.args) > 1:
        inner = labels(node.args[1])
        kept = tuple(label for label in inner.names if label != "le") if inner else ()
        return Labels(known=True, names=kept) if inner and inner.known else _UNKNOWN
    if name in ("scalar", "time", "pi"):
        return None
    return labels(node.args[0]) if name in _KEEPING and node.args else _UNKNOWN


def _combined(node: Any) -> Labels | None:
    left, right = labels(node.lhs), labels(node.rhs)
    if left is None or right is None:
        return left or right
    if not _is_plain(node):
        return _UNKNOWN
    if str(node.op) in ("and", "unless"):
        return left
    if str(node.op) == "or":
        return left if left == right else _UNKNOWN
    return left if left.known else right


_READ: dict[str, Callable[[Any], Labels | None]] = {
    "VectorSelector": _selected, "AggregateExpr": _aggregated, "BinaryExpr": _combined, "Call": _called,
}  # fmt: skip
