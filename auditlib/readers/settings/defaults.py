"""What a setting's default says: its kind, and its value as far as it may be shown."""

from __future__ import annotations

import ast
import operator

from msgspec import Struct

from auditlib.readers.python_code import Module, argument, keyword, unparsed
from auditlib.redaction import Value, Vault, is_credential_name, shown
from auditlib.secret_spans import is_secret_value

_WRAPPERS = frozenset({
    "SecretStr", "SecretBytes", "Secret", "AnyUrl", "AnyHttpUrl", "HttpUrl", "PostgresDsn", "RedisDsn", "URL", "Url",
    "Path", "str", "int", "float", "bool", "Csv",
})  # fmt: skip
"""Calls that keep the literal that they are given."""
_FOLDED = {ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub}
_LARGEST = 10**12
_DEEPEST = 50


class Default(Struct, frozen=True):
    """A default as a Setting holds it."""

    kind: str
    value: Value | None = None


NONE = Default("none")


def default(module: Module, name: str, node: ast.expr | None, vault: Vault) -> Default:
    """The default that an expression gives to the variable `name`; no expression is no default."""
    if node is None:
        return NONE
    node = _literal(module, node)
    if isinstance(node, ast.Constant):
        if node.value is None or node.value is Ellipsis:
            return Default("null") if node.value is None else NONE
        text = node.value if isinstance(node.value, str) else str(node.value)
        return Default("literal" if text else "empty", vault.value(name, text))
    if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)):
        empty = not (node.keys if isinstance(node, ast.Dict) else node.elts)
        kind = "empty" if empty else "literal" if _is_literal(node) else "expression"
        return Default(kind, vault.value(name, unparsed(node)))
    number = _number(node)
    if number is not None:
        return Default("literal", vault.value(name, str(number)))
    return Default("expression", Value(_shown(name, node, vault)))


def _shown(name: str, node: ast.expr, vault: Vault) -> str:
    """An expression as text; a string in that of a secret may be it, or a part of it."""
    text = unparsed(node)
    strings = [item for item in ast.walk(node) if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    for item in strings if is_credential_name(name) else ():
        if is_secret_value(name, str(item.value), quoted=True):
            text = text.replace(ast.unparse(item), repr(shown(str(item.value))))
    return vault.mask(text)


def _literal(module: Module, node: ast.expr) -> ast.expr:
    """The literal inside `SecretStr("…")` or `lambda: "…"`, or behind a constant's name; joined strings are one."""
    for _ in range(5):
        node = module.resolved(node)
        if isinstance(node, ast.Lambda):
            node = node.body
            continue
        wraps = isinstance(node, ast.Call) and module.origin(node.func).split(".")[-1] in _WRAPPERS
        if not (isinstance(node, ast.Call) and wraps and len(node.args) == 1 and not node.keywords):
            break
        node = node.args[0]
    joined = _joined(node)
    return node if joined is None else ast.copy_location(ast.Constant(joined), node)


def _joined(node: ast.expr, depth: int = 0) -> str | None:
    """The text of `"a" + "b"`."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add) or depth > _DEEPEST:
        return None
    left, right = _joined(node.left, depth + 1), _joined(node.right, depth + 1)
    return None if left is None or right is None else left + right


def _is_literal(node: ast.expr) -> bool:
    kinds = (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Load)
    return all(isinstance(item, kinds) for item in ast.walk(node))


def _number(node: ast.expr, depth: int = 0) -> int | float | None:
    """The value of simple arithmetic such as `60 * 24 * 7`, which people write for durations."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value  # type: ignore[return-value]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and depth < 10:
        inner = _number(node.operand, depth + 1)
        return None if inner is None else -inner
    if not (isinstance(node, ast.BinOp) and type(node.op) in _FOLDED and depth < 10):
        return None
    left, right = _number(node.left, depth + 1), _number(node.right, depth + 1)
    if left is None or right is None or max(abs(left), abs(right)) > _LARGEST:
        return None
    result: int | float = _FOLDED[type(node.op)](left, right)
    return result


def field_default(module: Module, value: ast.expr | None) -> tuple[ast.expr | None, ast.Call | None]:
    """The default of a class's field, and the call of `Field` that describes it, if there is one."""
    if not (isinstance(value, ast.Call) and module.origin(value.func).split(".")[-1] == "Field"):
        return value, None
    given = argument(value, 0, "default")
    return given if given is not None else keyword(value, "default_factory"), value
