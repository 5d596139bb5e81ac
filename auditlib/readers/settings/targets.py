"""What a variable is looked up for: `{"PASSWORD": os.getenv("DB_P", "…")}` says what `DB_P` doesn't."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from auditlib.patterns import regex
from auditlib.readers.python_code import Module
from auditlib.redaction import is_credential_name

_NAME_BEFORE = regex(
    r"""(?P<name>[\w.-]{1,80})["']?\]?(?:\?|:[ \t]{0,9}\w{1,30})?\s{0,9}(?:=>|:?=|:)\s{0,9}"""
    r"""(?:<%=\s{0,9})?(?:\w{0,30}\(\s{0,9})?\Z"""
)
"""A type stands on the line of its name: in YAML what follows on the next line is a key of its own."""
_FAR = 200
_DEFAULTS = ("default", "default_factory")


def revealing(name: str, target: str) -> str:
    """The name that tells whether a variable is a secret: its own, or that of what its value is given to."""
    return target if is_credential_name(target) and not is_credential_name(name) else name


def target_before(text: str, position: int) -> str:
    """The name that is given what stands at a position, in any language."""
    match = _NAME_BEFORE.search(text, max(0, position - _FAR), position)
    return match["name"] if match else ""


def credentials(module: Module) -> dict[int, str]:
    """The expressions of Python, by their identity, that are given to the name of a credential."""
    given = (pair for node in module.of(ast.Assign, ast.AnnAssign, ast.Dict, ast.keyword) for pair in _given(node))
    return {id(part): name for name, value in given if is_credential_name(name) for part in _parts(value)}


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a node gives a value to, with the value."""
    if isinstance(node, ast.Assign):
        yield from ((_named(target), node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield _named(node.target), node.value
    elif isinstance(node, ast.Dict):
        yield from ((_named(key), value) for key, value in zip(node.keys, node.values, strict=True))
    elif isinstance(node, ast.keyword):
        yield node.arg or "", node.value


def _named(node: ast.expr | None) -> str:
    """The name that a target or key ends with."""
    if isinstance(node, ast.Subscript):
        node = node.slice
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """An expression and those within it that its value may be: of a choice both, of a call what it is called with."""
    pending = [node]
    while pending:
        part = pending.pop()
        yield part
        if isinstance(part, ast.BoolOp):
            pending += part.values
        elif isinstance(part, ast.IfExp):
            pending += [part.body, part.orelse]
        elif isinstance(part, ast.Lambda):
            pending.append(part.body)
        elif isinstance(part, ast.Call):
            called = [part.func.value] if isinstance(part.func, ast.Attribute) else []
            pending += [*part.args, *called, *(item.value for item in part.keywords if item.arg in _DEFAULTS)]
