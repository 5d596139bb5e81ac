"""What the outermost level of a Python file stops for: `if not KEY: raise …`, `assert KEY`, `if not all([A, B]): …`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from auditlib.readers.python_code import Module

_EXITS = frozenset({"sys.exit", "exit", "quit", "os._exit"})


def demanded(module: Module) -> set[int]:
    """The identities of the lookups without whose value the file can't be loaded, by themselves or by a name."""
    asked = [item for statement in module.tree.body for item in _asked(module, statement)]
    names = {item.id for item in asked if isinstance(item, ast.Name)}
    held = {id(value) for name, value in module.constants.items() if name in names}
    return held | {id(item) for item in asked if isinstance(item, ast.Call)}


def _asked(module: Module, statement: ast.stmt) -> Iterator[ast.expr]:
    if isinstance(statement, ast.Assert):
        yield from _parts(statement.test) if not isinstance(statement.test, ast.Compare) else ()
    elif isinstance(statement, ast.If) and any(_stops(module, item) for item in statement.body):
        yield from _unset(statement.test)


def _stops(module: Module, statement: ast.stmt) -> bool:
    call = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(statement, ast.Raise) or (isinstance(call, ast.Call) and module.origin(call.func) in _EXITS)


def _unset(test: ast.expr) -> Iterator[ast.expr]:
    """What a condition finds to be empty; with another condition beside it nothing is sure."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        for value in test.values:
            yield from _unset(value)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _parts(test.operand)
    elif isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Is, ast.Eq)):
        other = test.comparators[0]
        if isinstance(other, ast.Constant) and other.value in (None, ""):
            yield test.left


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """A name or lookup, or those of `all([…])`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "all" and node.args:
        listed = node.args[0]
        yield from listed.elts if isinstance(listed, (ast.List, ast.Tuple)) else ()
    elif isinstance(node, (ast.Name, ast.Call)):
        yield node
