"""Divisions of PromQL: those in which series are matched by all their labels, since nothing aggregates them, and those
by a rate that is taken for one a second at least.

Follows https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from auditlib.inventory.monitoring import Ratio

_KEEPING = frozenset({"rate", "irate", "increase", "delta", "idelta", "deriv", "abs", "ceil", "floor", "round"})
"""Functions that leave each series its labels."""
_SCALING = frozenset({"*", "/"})
_AGAINST_ZERO = 0.001
"""What is added to a divisor or least put in its place so that it isn't zero, at most."""


class _Side(Struct, frozen=True):
    """One side of a division: its selector, and what is done with it."""

    metric: str
    matchers: frozenset[tuple[str, str, str]]
    treatment: tuple[str, ...]


def ratios(tree: Any) -> Iterator[Ratio]:
    """The divisions of an expression whose sides are plain selectors, with functions that keep labels around them."""
    for node in _divisions(tree):
        divisor = _divisor(node.rhs)
        left, right = (_side(node.lhs), _side(divisor)) if node.modifier is None else (None, None)
        if left and right:
            same = (left.metric, left.treatment) == (right.metric, right.treatment)
            of_itself, kept = same and right.matchers <= left.matchers, divisor is not node.rhs
            if of_itself or not kept:
                yield Ratio(left.metric, right.metric, of_itself, kept)


def _divisor(node: Any) -> Any:
    """What is divided by, without what only keeps it from being zero: `x + 0.001`, `clamp_min(x, 0.001)`."""
    bare = node
    while type(bare).__name__ == "ParenExpr":
        bare = bare.expr
    kind = type(bare).__name__
    if kind == "BinaryExpr" and str(bare.op) == "+" and 0 < getattr(bare.rhs, "val", 0) <= _AGAINST_ZERO:
        return bare.lhs
    if kind == "Call" and bare.func.name == "clamp_min" and 0 < getattr(bare.args[1], "val", 0) <= _AGAINST_ZERO:
        return bare.args[0]
    return node


def floors_rate(tree: Any) -> bool:
    """Whether something is divided by a rate for which at least one a second is taken: `clamp_min(rate(…), 1)`."""
    return any(_is_floored(node.rhs) for node in _divisions(tree))


def _is_floored(node: Any) -> bool:
    if type(node).__name__ == "ParenExpr":
        return _is_floored(node.expr)
    if type(node).__name__ != "Call" or node.func.name != "clamp_min":
        return False
    value, floor = node.args
    scaled = any(type(item).__name__ == "BinaryExpr" and str(item.op) == "*" for item in walk(value))
    return (
        not scaled
        and getattr(floor, "val", 0) >= 1
        and any(type(item).__name__ == "Call" and item.func.name in ("rate", "irate") for item in walk(value))
    )


def _divisions(tree: Any) -> Iterator[Any]:
    return (node for node in walk(tree) if type(node).__name__ == "BinaryExpr" and str(node.op) == "/")


def walk(tree: Any) -> Iterator[Any]:
    """An expression and all that it is made of, from the left to the right."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(child for name in ("rhs", "expr", "lhs") if (child := getattr(node, name, None)) is not None)
        stack.extend(getattr(node, "args", None) or ())


def _side(node: Any, treatment: tuple[str, ...] = ()) -> _Side | None:
    kind = type(node).__name__
    if kind == "ParenExpr":
        return _side(node.expr, treatment)
    if kind == "BinaryExpr":
        return _scaled(node, treatment)
    if kind == "Call":
        name = node.func.name
        return _side(node.args[0], (*treatment, name)) if name in _KEEPING and node.args else None
    if kind == "MatrixSelector":
        return _side(node.vector_selector, (*treatment, str(node.range)))
    return _selected(node, treatment) if kind == "VectorSelector" else None


def _scaled(node: Any, treatment: tuple[str, ...]) -> _Side | None:
    """What is multiplied or divided by a number."""
    if node.modifier is None and str(node.op) in _SCALING and type(node.rhs).__name__ == "NumberLiteral":
        return _side(node.lhs, treatment)
    return None


def _selected(node: Any, treatment: tuple[str, ...]) -> _Side | None:
    if not node.name or node.matchers.or_matchers:
        return None
    matchers = frozenset((item.name, str(item.op), item.value) for item in node.matchers.matchers)
    return _Side(node.name, matchers, (*treatment, str(node.offset), str(node.at)))
