"""Python source as a syntax tree, with the questions that readers ask of it. Nothing is ever imported or executed.

Follows https://docs.python.org/3/library/ast.html.
"""

from __future__ import annotations

import ast
import warnings
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import chain
from typing import TypeVar

from msgspec import Struct, field

from auditlib.model import Location
from auditlib.source import Source, Unreadable

TEXT_LIMIT = 1_000_000
"""Characters of the largest file that is parsed; a syntax tree takes a hundred times its text."""
_DEPTH = 30
_SIZE = 400
"""Nodes of the largest expression that is shown as text."""


Node = TypeVar("Node", bound=ast.AST)


class Module(Struct, dict=True):
    """One parsed file. `imports` maps each imported name to its dotted origin (`environ` to `os.environ`)."""

    file: str
    tree: ast.Module
    imports: dict[str, str] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the file that says something, breadth first; not whether a name is loaded or stored."""
        found: list[ast.AST] = [self.tree]
        for node in found:  # which grows; `ast.walk` takes twice the time
            for name in _parts(type(node)):  # type: ignore[arg-type]  # a class can be hashed
                value = getattr(node, name, None)
                if isinstance(value, list):
                    found += [item for item in value if isinstance(item, ast.AST)]
                elif isinstance(value, ast.AST):
                    found.append(value)
        return found

    def of(self, *kinds: type[Node]) -> list[Node]:
        """The nodes of these kinds, breadth first; most questions are about a few of a file's thousands of nodes."""
        places = sorted(chain.from_iterable(self._places.get(kind, ()) for kind in kinds))
        return [self.nodes[place] for place in places]  # type: ignore[misc]  # by their places they are of these kinds

    @cached_property
    def _places(self) -> dict[type[ast.AST], list[int]]:
        found: defaultdict[type[ast.AST], list[int]] = defaultdict(list)
        for place, node in enumerate(self.nodes):
            found[type(node)].append(place)
        return found

    @cached_property
    def assignments(self) -> list[tuple[str, ast.expr]]:
        """The plain names that statements of the file assign, each with the expression."""
        return [pair for node in self.of(ast.Assign, ast.AnnAssign) for pair in assigned(node)]

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes of the file by their name."""
        return {node.name: node for node in self.of(ast.ClassDef)}

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        """The names that the top level assigns once, each with the expression assigned."""
        found: dict[str, ast.expr] = {}
        again: set[str] = set()
        for statement in self.tree.body:
            for name, value in assigned(statement):
                if name in found:
                    again.add(name)
                found[name] = value
        return {name: value for name, value in found.items() if name not in again}

    def origin(self, node: ast.AST) -> str:
        """The dotted name that an expression stands for, imports resolved: `environ.get` is `os.environ.get`."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.imports.get(node.id, node.id))
        return ".".join(reversed(parts))

    def location(self, node: ast.expr | ast.stmt | ast.keyword) -> Location:
        """Where a node stands."""
        return Location(self.file, node.lineno, node.col_offset + 1, node.end_lineno)

    def resolved(self, node: ast.expr) -> ast.expr:
        """The expression behind a name that the top level assigns once, or the expression itself."""
        for _ in range(_DEPTH):
            if not (isinstance(node, ast.Name) and node.id in self.constants):
                break
            node = self.constants[node.id]
        return node

    def string(self, node: ast.expr | None) -> str | None:
        """The text of a string literal, or of a constant that is one."""
        if node is None:
            return None
        node = self.resolved(node)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    def strings(self, node: ast.expr | None) -> tuple[str, ...]:
        """The texts of a string literal, or of a tuple, list or set of them."""
        node = None if node is None else self.resolved(node)
        items = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
        return tuple(text for text in map(self.string, items) if text is not None)


@cache
def _parts(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold further nodes."""
    return () if kind in (ast.Name, ast.Constant) else tuple(name for name in kind._fields if name != "ctx")


def parse(source: Source, path: str) -> Module:
    """The syntax tree of a file. Raises Unreadable, with the line, for what is no Python that this version knows."""
    text = source.text(path)
    if len(text) > TEXT_LIMIT:
        raise Unreadable(f"has {len(text):,} characters; Python files above {TEXT_LIMIT:,} are not parsed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the audited code's escapes are not our concern
            tree = ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(f"not valid Python: {error.msg}", error.lineno or 1) from None
    except (RecursionError, MemoryError):
        raise Unreadable("not valid Python: nested too deep") from None
    except ValueError as error:
        raise Unreadable(f"not valid Python: {error}") from None
    module = Module(path, tree)
    module.imports.update(_imports(module))
    return module


def _imports(module: Module) -> Iterator[tuple[str, str]]:
    for node in module.of(ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            prefix = "." * node.level + (node.module or "")
            for alias in node.names:
                yield alias.asname or alias.name, f"{prefix}.{alias.name}" if node.module else prefix + alias.name


def assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The plain names that a statement assigns, each with the expression."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The argument that a call passes by this name."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def argument(call: ast.Call, index: int, name: str) -> ast.expr | None:
    """The argument that a call passes at this place or by this name."""
    return call.args[index] if index < len(call.args) else keyword(call, name)


def unparsed(node: ast.expr) -> str:
    """An expression as text; of an enormous or deeply nested one only that it is there."""
    count = 0
    for count, _ in enumerate(ast.walk(node)):
        if count > _SIZE:
            return "…"
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return "…"
