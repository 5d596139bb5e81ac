"""The numbers that an expression holds quantiles of a histogram against.

Follows https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.monitoring import QuantileLimit
from auditlib.readers.promql_ratios import walk

_ABOVE = frozenset({">", ">="})
_SUFFIX = "_bucket"


def quantile(tree: Any) -> str:
    """The histogram of which an expression is a quantile and nothing more; empty for any other."""
    node = _bare(tree)
    if type(node).__name__ != "Call" or node.func.name != "histogram_quantile" or len(node.args) != 2:
        return ""
    names = {item.name or "" for item in _selectors(node.args[1])}
    name = names.pop() if len(names) == 1 else ""
    return name.removesuffix(_SUFFIX) if name.endswith(_SUFFIX) else ""


def limits(tree: Any) -> Iterator[QuantileLimit]:
    """The comparisons of a quantile, or of a metric that a rule may record, with a number."""
    for node in walk(tree):
        above = type(node).__name__ == "BinaryExpr" and str(node.op) in _ABOVE
        if above and type(node.rhs).__name__ == "NumberLiteral":
            left = _bare(node.lhs)
            recorded = (left.name or "") if type(left).__name__ == "VectorSelector" else ""
            histogram = quantile(left)
            if histogram or ":" in recorded:
                yield QuantileLimit(histogram, recorded, str(node.op), float(node.rhs.val))


def _selectors(tree: Any) -> Iterator[Any]:
    """The selectors of an expression, those with a range included."""
    for node in walk(tree):
        selector = getattr(node, "vector_selector", None) or node
        if type(selector).__name__ == "VectorSelector":
            yield selector


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node
