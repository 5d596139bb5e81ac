"""Handlers in Python that answer the same whatever they need is down, by the syntax tree.

Follows https://fastapi.tiangolo.com/tutorial/first-steps/ and https://flask.palletsprojects.com/en/stable/quickstart/.
A handler is one if it takes nothing that is injected, decides nothing, and calls only what makes its answer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from auditlib.readers.python_code import assigned

_ROUTES = frozenset({"get", "route", "api_route"})
_PLAIN = (ast.Expr, ast.Assign, ast.AnnAssign, ast.Return)
_DECIDE = (ast.IfExp, ast.BoolOp, ast.Compare, ast.Await, ast.Lambda, ast.comprehension, ast.Yield, ast.Subscript)
_HARMLESS = frozenset({
    "jsonify", "make_response", "dict", "str", "int", "round", "now", "utcnow", "isoformat", "time", "timedelta",
    "strftime", "timestamp", "dumps", "model_dump", "get_logger", "getLogger", "debug", "info",
})  # fmt: skip
"""What makes an answer, or notes that it was asked for; a name with a capital is a class of answers."""
_KNOWN = frozenset({
    "settings", "config", "app", "application", "version", "__version__", "datetime", "timezone", "time", "logger",
    "log", "logging", "start_time", "started_at", "status", "request", "json", "pytz", "dt", "os", "platform", "socket",
})  # fmt: skip
"""Names that stand for the same as long as the program runs, or for the time."""
_TAKEN = frozenset({"self", "request", "response", "_request", "_"})


def constant(text: str, path: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """The lines and routes of handlers below a path of this pattern that do nothing but answer."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # reported by what reads all code
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _only_answers(node):
            yield from ((item.lineno, route) for item in node.decorator_list if (route := _route(item, path)))


def _route(decorator: ast.expr, path: re.Pattern[str]) -> str:
    """The path of a decorator that declares a route which can be read."""
    if not (isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute) and decorator.args):
        return ""
    first = decorator.args[0]
    literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
    return literal.rstrip("/") if decorator.func.attr in _ROUTES and path.fullmatch(literal) else ""


def _only_answers(handler: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    taken = handler.args
    if taken.vararg or taken.kwarg or taken.kwonlyargs or {item.arg for item in taken.args} - _TAKEN:
        return False  # what is injected may refuse
    own = {name for statement in handler.body for name, _ in assigned(statement)}
    ends = isinstance(handler.body[-1], ast.Return)
    return ends and all(isinstance(each, _PLAIN) and _is_harmless(each, own) for each in handler.body)


def _is_harmless(statement: ast.stmt, own: set[str]) -> bool:
    """Whether a statement decides nothing, calls only what makes an answer, and looks at nothing that may change."""
    nodes = list(ast.walk(statement.value)) if isinstance(statement, _PLAIN) and statement.value else []
    calls = (_called(node) for node in nodes if isinstance(node, ast.Call))
    names = {node.id for node in nodes if isinstance(node, ast.Name)} - own
    return (
        not any(isinstance(node, _DECIDE) for node in nodes)
        and all(name in _HARMLESS or name[:1].isupper() for name in calls)
        and all(name in _KNOWN or name in _HARMLESS or name[:1].isupper() for name in names)
    )


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
