"""Which variables an expression names: one that is written, or each of those that a loop goes through.

A loop over literals (`for name in ("A", "B"): os.environ[name]`) asks for each of them; within
`with env.prefixed("APP_"):` of environs every name has the prefix (https://github.com/sloria/environs).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct

from auditlib.readers.python_code import Module, argument

_LIMIT = 200
"""Loops of one file that are looked at, and blocks with a prefix."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_LOOPS = (ast.For, ast.AsyncFor, *_COMPREHENSIONS)


class _Span(Struct, frozen=True):
    """A part of the file in which a name stands for something: `texts` are the variables, or the one prefix."""

    name: str
    texts: tuple[str, ...]
    start: tuple[int, int]
    end: tuple[int, int]

    def holds(self, name: str, node: ast.expr) -> bool:
        """Whether an expression that uses the name stands in this part."""
        return name == self.name and self.start <= (node.lineno, node.col_offset) < self.end


class VariableNames:
    """Answers for one file which variables its lookups name."""

    def __init__(self, module: Module) -> None:
        self._module = module
        again = {name for name, _ in module.assignments}
        loops = [span for node in module.of(*_LOOPS) for span in self._loops(node) if span.name not in again]
        self._spans = loops[:_LIMIT]
        self._blocks = [span for node in module.of(ast.With) for span in self._prefixed(node)][:_LIMIT]

    def of(self, node: ast.expr | None) -> tuple[str, ...]:
        """The variables that an expression may be the name of; none if only the running program knows."""
        if text := self._module.string(node):
            return (text,)
        if not isinstance(node, ast.Name):
            return ()
        return next((span.texts for span in reversed(self._spans) if span.holds(node.id, node)), ())

    def prefix(self, reader: str, node: ast.expr) -> str | None:
        """What comes before each name that a reader is asked for at this place; None if it is computed."""
        found = sorted((span for span in self._blocks if span.holds(reader, node)), key=lambda span: span.start)
        return "".join(span.texts[0] for span in found) if all(span.texts for span in found) else None

    def _loops(self, node: ast.AST) -> Iterator[_Span]:
        """The names that a loop or a comprehension gives literal texts one after the other."""
        if isinstance(node, (ast.For, ast.AsyncFor)):
            yield from self._loop(node.target, node.iter, _place(node.body[0]), _end(node.body[-1]))
        elif isinstance(node, _COMPREHENSIONS):
            for part in node.generators:
                yield from self._loop(part.target, part.iter, _place(node), _end(node))

    def _loop(self, target: ast.expr, over: ast.expr, start: tuple[int, int], end: tuple[int, int]) -> Iterator[_Span]:
        items = self._module.resolved(over)
        if isinstance(target, ast.Name) and isinstance(items, (ast.Tuple, ast.List, ast.Set)):
            texts = self._module.strings(items)
            if texts and len(texts) == len(items.elts):
                yield _Span(target.id, tuple(dict.fromkeys(texts)), start, end)

    def _prefixed(self, node: ast.With) -> Iterator[_Span]:
        """The blocks of `with env.prefixed("APP_"):`."""
        for call in (item.context_expr for item in node.items):
            if not isinstance(call, ast.Call):
                continue
            reader, _, method = self._module.origin(call.func).rpartition(".")
            if method == "prefixed":
                text = self._module.string(argument(call, 0, "prefix"))
                yield _Span(reader, () if text is None else (text,), _end(call), _end(node))


def _place(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: ast.expr | ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
