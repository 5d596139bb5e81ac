"""The path that an expression of Python code makes, as far as it is literal."""

from __future__ import annotations

import ast

from msgspec import Struct

from auditlib.readers.python_code import Module

_STEPS = 200
"""Expressions looked at for one path; names may refer to names, so that their number is not bounded by the text."""
_CALLS = frozenset({"join", "joinpath", "Path", "PurePath", "PosixPath", "str", "find_dotenv"})


def literal_path(module: Module, node: ast.expr) -> str:
    """What is known of a path: `BASE_DIR / "logs" / "app.log"` is `logs/app.log`, `f".env.{name}"` is `.env.{name}`."""
    return _Paths(module).of(node)


class _Paths(Struct):
    module: Module
    steps: int = 0

    def of(self, node: ast.expr) -> str:
        self.steps += 1
        if self.steps > _STEPS:
            return ""
        node = self.module.resolved(node)
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        if isinstance(node, ast.BinOp):
            return self._of_operation(node)
        if isinstance(node, ast.JoinedStr):
            return "".join(self._of_piece(part) for part in node.values)
        return self._of_call(node) if isinstance(node, ast.Call) else ""

    def _of_operation(self, node: ast.BinOp) -> str:
        if isinstance(node.op, ast.Div):
            return _joined([self.of(node.left), self.of(node.right)])
        return self.of(node.left) + self.of(node.right) if isinstance(node.op, ast.Add) else ""

    def _of_call(self, node: ast.Call) -> str:
        name = self.module.origin(node.func).split(".")[-1]
        if not name and isinstance(node.func, ast.Attribute):
            name = node.func.attr
        if name not in _CALLS:
            return ""
        parts = [self.of(argument) for argument in node.args]
        if name == "joinpath" and isinstance(node.func, ast.Attribute):
            parts.insert(0, self.of(node.func.value))
        return _joined(parts)

    def _of_piece(self, part: ast.expr) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        name = self.module.origin(part.value) if isinstance(part, ast.FormattedValue) else ""
        return f"{{{name.split('.')[-1]}}}"


def _joined(parts: list[str]) -> str:
    result = ""
    for part in parts:
        if part.startswith("/") or not result:
            result = part
        elif part:
            result = f"{result.rstrip('/')}/{part}"
    return result
