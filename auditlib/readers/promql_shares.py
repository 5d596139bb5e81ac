"""The numbers that an expression holds shares of a whole against: an error ratio, the used part of a disk.

A share lies between 0 and 1, or between 0 and 100 where it is multiplied so; the metrics that make one are the same
counter with and without a condition, or pairs that exporters give for that (https://github.com/prometheus/node_exporter).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.monitoring import ShareLimit
from auditlib.patterns import regex
from auditlib.readers.promql_ratios import walk

_SWAPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_KEEPING = frozenset({"rate", "irate", "increase", "avg_over_time", "max_over_time", "min_over_time", "sum_over_time"})
_BOUNDED = frozenset({"avg", "min", "max", "quantile"})
"""Aggregations of shares that are shares themselves."""
_WITHIN = frozenset({"avg_over_time", "max_over_time", "min_over_time", "abs", "clamp_max"})
_PAIRS = (
    (regex(r"node_filesystem_(?:avail|free)_bytes"), regex(r"node_filesystem_size_bytes")),
    (regex(r"node_filesystem_files_free"), regex(r"node_filesystem_files")),
    (
        regex(
            r"node_memory_(?:MemFree|MemAvailable|Buffers|Cached|Active|Inactive|Slab|SReclaimable|SUnreclaim|AnonPages|"
            r"Mapped|Shmem|PageTables|Dirty|Writeback)(?:_\w+)?_bytes"
        ),
        regex(r"node_memory_MemTotal_bytes"),
    ),
    (regex(r"node_memory_Swap\w+_bytes"), regex(r"node_memory_SwapTotal_bytes")),
    (regex(r"pg_stat_(?:activity_count|database_numbackends)"), regex(r"pg_settings_max_connections")),
    (regex(r"mysql_global_status_threads_connected"), regex(r"mysql_global_variables_max_connections")),
)
"""What is a part, and of what. A limit that is 0 where there is none makes no share, as what it divides is infinite."""
_OF_TIME = regex(r"node_cpu_seconds_total")
"""Seconds a second, of each processor and mode."""
_Leaf = tuple[str, frozenset[tuple[str, str, str]], tuple[str, ...]]


def shares(tree: Any) -> Iterator[ShareLimit]:
    """The comparisons of a share with a number, the share on the left."""
    for node in walk(tree):
        operator = str(getattr(node, "op", ""))
        if type(node).__name__ != "BinaryExpr" or operator not in _SWAPPED:
            continue
        left, right = _number(node.lhs), _number(node.rhs)
        if right is not None and (most := _most(node.lhs)):
            yield ShareLimit(most, operator, right)
        elif left is not None and (most := _most(node.rhs)):
            yield ShareLimit(most, _SWAPPED[operator], left)


def most(tree: Any) -> int:
    """The greatest value of an expression that is a share, with or without a comparison; 0 if it is none."""
    node = _bare(tree)
    if type(node).__name__ == "BinaryExpr" and str(node.op) in _SWAPPED:
        return _most(node.lhs) if _number(node.rhs) is not None else 0
    return _most(node)


def _most(node: Any) -> int:
    """1 for a share, 100 for a percentage, 0 for anything else."""
    node = _bare(node)
    kind = type(node).__name__
    if kind == "AggregateExpr":
        return _most(node.expr) if str(node.op) in _BOUNDED else 0
    if kind == "Call":
        return _of_call(node)
    return _of_operation(node) if kind == "BinaryExpr" else 0


def _of_call(node: Any) -> int:
    if node.func.name in _WITHIN and node.args:
        return _most(node.args[0])
    leaf = _leaf(node) if node.func.name in ("rate", "irate") else None
    return 1 if leaf and _OF_TIME.fullmatch(leaf[0]) else 0


def _of_operation(node: Any) -> int:
    operator, left, right = str(node.op), _number(node.lhs), _number(node.rhs)
    if operator == "*" and 100 in (left, right):
        return 100 if _most(node.rhs if left == 100 else node.lhs) == 1 else 0
    if operator == "-" and left in (1, 100):
        return int(left) if _most(node.rhs) == left else 0
    if operator == "/" and right == 100:
        return 1 if _most(node.lhs) == 100 else 0
    return 1 if operator == "/" and right is None and _is_part(_leaf(node.lhs), _leaf(node.rhs)) else 0


def _is_part(part: _Leaf | None, whole: _Leaf | None) -> bool:
    """Whether one selector takes a part of what another one takes."""
    if not part or not whole:
        return False
    if part[0] == whole[0]:
        return whole[1] < part[1] and part[2] == whole[2]
    return any(left.fullmatch(part[0]) and right.fullmatch(whole[0]) for left, right in _PAIRS)


def _leaf(node: Any, treatment: tuple[str, ...] = ()) -> _Leaf | None:
    """The selector of an expression, its conditions, and what is done with it."""
    node = _bare(node)
    kind = type(node).__name__
    if kind == "AggregateExpr":
        return _leaf(node.expr, (*treatment, "sum")) if str(node.op) == "sum" else None
    if kind == "Call":
        name = node.func.name
        if name == "clamp_min" and node.args:
            return _leaf(node.args[0], treatment)
        return _leaf(node.args[0], (*treatment, name)) if name in _KEEPING and node.args else None
    if kind == "MatrixSelector":
        return _leaf(node.vector_selector, (*treatment, str(node.range)))
    if kind != "VectorSelector" or not node.name or node.matchers.or_matchers or node.offset:
        return None
    conditions = frozenset((item.name, str(item.op), item.value) for item in node.matchers.matchers)
    return node.name, conditions, treatment


def _number(node: Any) -> float | None:
    node = _bare(node)
    return float(node.val) if type(node).__name__ == "NumberLiteral" else None


def _bare(node: Any) -> Any:
    while type(node).__name__ == "ParenExpr":
        node = node.expr
    return node
