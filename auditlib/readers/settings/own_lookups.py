"""Functions of Python code that look up the variable that they are given the name of.

`def require_env(name): value = os.getenv(name)` with `if not value: raise …` makes each call of it a lookup of its own.
"""

from __future__ import annotations

import ast

from msgspec import Struct

from auditlib.readers.python_code import Module, argument

_ASKING = frozenset({"os.getenv", "os.environ.get"})
_LIMIT = 50
"""Functions of one file that are looked at."""


class OwnLookup(Struct, frozen=True):
    """A function that looks up a variable by the name that it is given first."""

    name: str
    demands: bool
    """Whether it fails where the variable is unset."""


def functions(module: Module) -> dict[str, OwnLookup]:
    """The functions of the module itself that look up what they are given the name of."""
    found = [item for item in module.tree.body if isinstance(item, ast.FunctionDef)][:_LIMIT]
    keys = {item.name: parameters[0].arg for item in found if (parameters := item.args.posonlyargs + item.args.args)}
    names = set(keys.values())
    nodes = module.of(ast.Call, ast.Subscript) if names else []
    asked = {key for node in nodes if (key := _key(node)) in names and _is_lookup(module, node, key)}
    wanted = [item for item in found if keys.get(item.name) in asked]  # few files have any, and a walk takes its time
    return {item.name: own for item in wanted if (own := _lookup(module, item, keys[item.name]))}


def _key(node: ast.expr) -> str:
    """The plain name that a call is given first, or that stands between brackets."""
    given = node.slice if isinstance(node, ast.Subscript) else None
    if isinstance(node, ast.Call):
        given = argument(node, 0, "key")
    return given.id if isinstance(given, ast.Name) else ""


def _is_lookup(module: Module, node: ast.AST, key: str) -> bool:
    return _asks(module, node, key) or _indexes(module, node, key)


def _lookup(module: Module, function: ast.FunctionDef, key: str) -> OwnLookup | None:
    nodes = list(ast.walk(function))
    asks = any(_asks(module, node, key) for node in nodes)
    indexes = any(_indexes(module, node, key) for node in nodes)
    if not (asks or indexes):
        return None
    fails = any(isinstance(node, ast.Raise) or _exits(module, node) for node in nodes)
    falls_back = bool(function.args.defaults) or any(_falls_back(node) for node in nodes if _asks(module, node, key))
    caught = any(isinstance(node, ast.Try) for node in nodes)
    return OwnLookup(function.name, (indexes and not caught) or (fails and not falls_back))


def _falls_back(node: ast.AST) -> bool:
    """Whether a lookup has a default of its own."""
    return isinstance(node, ast.Call) and argument(node, 1, "default") is not None


def _is_key(node: ast.expr | None, key: str) -> bool:
    return isinstance(node, ast.Name) and node.id == key


def _asks(module: Module, node: ast.AST, key: str) -> bool:
    return isinstance(node, ast.Call) and _is_key(argument(node, 0, "key"), key) and module.origin(node.func) in _ASKING


def _indexes(module: Module, node: ast.AST, key: str) -> bool:
    return isinstance(node, ast.Subscript) and _is_key(node.slice, key) and module.origin(node.value) == "os.environ"


def _exits(module: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and module.origin(node.func) in ("sys.exit", "exit", "quit")
