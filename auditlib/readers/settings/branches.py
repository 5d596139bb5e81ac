"""Places where Python code decides by the name of its environment: `if settings.ENVIRONMENT == "production"`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.patterns import regex
from auditlib.readers.python_code import Module, assigned

VARIABLE = regex(
    r"(?:(?:app|application|node|django|flask|fastapi|rails|deploy|deployment|python|py|run|runtime|current|project|server|"
    r"service|airflow|quart|symfony)_?)?env(?:ironment)?(?:_?(?:name|type|mode))?|stage|deployment_?stage|app_?stage|"
    r"[a-z]+_environment|[a-z]+_env",
    re.I,
)
"""Names of variables that hold the environment's name."""
_FLAG = regex(
    r"(?:is_?|in_?)(?P<value>prod(?:uction)?|dev(?:elopment)?|stag(?:e|ing)|local|test(?:ing)?)(?:_?env\w*)?", re.I
)
"""Names of what says whether it is one environment: `is_production`."""
_FULL_NAMES = {"prod": "production", "dev": "development", "stage": "staging", "test": "testing"}
_KEEPING = frozenset({"lower", "upper", "strip", "casefold", "value"})
_LOOKUPS = frozenset({"os.getenv", "os.environ.get"})
_TARGETS = 200


class _Test(Struct, frozen=True):
    """What a condition compares: the variable, and the values it is compared with."""

    variable: str
    values: tuple[str, ...]


def read_branches(module: Module) -> Iterator[EnvironmentBranch]:
    """The branches of a file on the environment's name, in the order of their lines."""
    found = list(_Branches(module).read())
    yield from sorted(found, key=lambda branch: (branch.location.line, branch.location.column))


class _Branches:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.seen: set[int] = set()
        """Nodes that belong to a branch that was already taken."""

    def read(self) -> Iterator[EnvironmentBranch]:
        stack: list[tuple[ast.AST, tuple[str, ...]]] = [(self.module.tree, ())]
        while stack:
            node, context = stack.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                context = (node.name,)
            elif isinstance(node, ast.stmt) and (names := tuple(name for name, _ in assigned(node))):
                context = names
            if id(node) not in self.seen:
                yield from self._branch(node, context)
            stack.extend((child, context) for child in ast.iter_child_nodes(node))

    def _branch(self, node: ast.AST, context: tuple[str, ...]) -> Iterator[EnvironmentBranch]:
        if isinstance(node, ast.If):
            yield from self._statement(node, context)
        elif isinstance(node, ast.IfExp):
            yield from self._expression(node, self._test(node.test), context)
            self._take(node.test)
        elif isinstance(node, ast.Match):
            yield from self._match(node, context)
        elif isinstance(node, ast.Compare):
            yield from self._expression(node, self._comparison(node), context)
        elif isinstance(node, (ast.Subscript, ast.Call)):
            yield from self._expression(node, self._choice(node), context)

    def _expression(self, node: ast.expr, test: _Test | None, context: tuple[str, ...]) -> Iterator[EnvironmentBranch]:
        if test:
            yield EnvironmentBranch(test.variable, test.values, context, self.module.location(node))

    def _statement(self, node: ast.If, context: tuple[str, ...]) -> Iterator[EnvironmentBranch]:
        """An `if` with its `elif`s is one branch."""
        tests: list[_Test] = []
        bodies: list[ast.stmt] = []
        part: ast.If | None = node
        while part is not None:
            if test := self._test(part.test):
                tests.append(test)
                self._take(part.test)
            bodies += part.body
            following = part.orelse[0] if len(part.orelse) == 1 else None
            bodies += [] if isinstance(following, ast.If) else part.orelse
            part = following if isinstance(following, ast.If) else None
            if part is not None and tests:
                self.seen.add(id(part))
        if tests:
            values = tuple(dict.fromkeys(value for test in tests for value in test.values))
            targets = self._targets(bodies, context)
            location = self.module.location(node.test)
            yield EnvironmentBranch(tests[0].variable, values, targets, location)

    def _match(self, node: ast.Match, context: tuple[str, ...]) -> Iterator[EnvironmentBranch]:
        variable = self._variable(node.subject)
        patterns = [item for case in node.cases for item in self._patterns(case.pattern)]
        values = tuple(text for item in patterns if (text := self._value(item.value)) is not None)
        if variable and values:
            bodies = [statement for case in node.cases for statement in case.body]
            location = self.module.location(node.subject)
            yield EnvironmentBranch(variable, values, self._targets(bodies, context), location)

    def _patterns(self, pattern: ast.pattern) -> list[ast.MatchValue]:
        parts = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
        return [part for part in parts if isinstance(part, ast.MatchValue)]

    def _take(self, test: ast.expr) -> None:
        self.seen.update(id(node) for node in ast.walk(test))

    def _targets(self, body: list[ast.stmt], context: tuple[str, ...]) -> tuple[str, ...]:
        """The names that the statements assign or pass by keyword; where they return, what they stand in."""
        names: dict[str, None] = {}
        for statement in body[:_TARGETS]:
            for name in self._names(statement):
                names[name] = None
            if isinstance(statement, ast.Return):
                names.update(dict.fromkeys(context))
        return tuple(names) or context

    def _names(self, statement: ast.stmt) -> Iterator[str]:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
            targets = [statement.target]
        for target in targets:
            if name := self.module.origin(target).split(".")[-1]:
                yield name
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = self.module.origin(statement.value.func).split(".")
            if called[-1] in ("append", "extend", "add", "update", "insert") and len(called) > 1:
                yield called[-2]
            yield from (item.arg for item in statement.value.keywords if item.arg)

    def _test(self, node: ast.expr) -> _Test | None:
        """The comparison within a condition; several of the same variable count as one."""
        found: list[_Test] = []
        stack = [node]
        while stack and len(found) < _TARGETS:
            part = stack.pop()
            if isinstance(part, ast.BoolOp):
                stack += reversed(part.values)
            elif isinstance(part, ast.UnaryOp):
                stack.append(part.operand)
            elif test := self._comparison(part) or self._flag(part):
                found.append(test)
        values = tuple(dict.fromkeys(value for test in found for value in test.values))
        return _Test(found[0].variable, values) if found else None

    def _comparison(self, node: ast.expr) -> _Test | None:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1:
            return None
        left, right = node.left, node.comparators[0]
        if isinstance(node.ops[0], (ast.Eq, ast.NotEq)) and not self._variable(left):
            left, right = right, left
        elif not isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.In, ast.NotIn)):
            return None
        variable = self._variable(left)
        right = self.module.resolved(right)
        items = right.elts if isinstance(right, (ast.Tuple, ast.List, ast.Set)) else [right]
        values = tuple(text for item in items if (text := self._value(item)) is not None)
        return _Test(variable, values) if variable and values else None

    def _flag(self, node: ast.expr) -> _Test | None:
        """`settings.is_production`, as a name, a property, or a call."""
        name = self.module.origin(node.func if isinstance(node, ast.Call) else node).split(".")[-1]
        match = _FLAG.fullmatch(name)
        if not match:
            return None
        value = match["value"].lower()
        return _Test(name, (_FULL_NAMES.get(value, value),))

    def _choice(self, node: ast.Subscript | ast.Call) -> _Test | None:
        """`{"production": …}[ENVIRONMENT]`, or with `.get(ENVIRONMENT)`."""
        if isinstance(node, ast.Subscript):
            table, key = self.module.resolved(node.value), node.slice
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
            table, key = self.module.resolved(node.func.value), node.args[0]
        else:
            return None
        if not isinstance(table, ast.Dict):
            return None
        variable = self._variable(key)
        values = tuple(text for item in table.keys if item is not None and (text := self._value(item)) is not None)
        return _Test(variable, values) if variable and values else None

    def _variable(self, node: ast.expr) -> str:
        """The name of the variable that holds the environment's name; empty if the expression is none."""
        while True:
            if isinstance(node, ast.Attribute) and node.attr in _KEEPING:
                node = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _KEEPING:
                node = node.func.value
            else:
                break
        name = self.module.origin(node).split(".")[-1]
        if isinstance(node, ast.Call) and self.module.origin(node.func) in _LOOKUPS and node.args:
            name = self.module.string(node.args[0]) or ""
        elif isinstance(node, ast.Subscript):
            name = self.module.string(node.slice) or ""
        return name if VARIABLE.fullmatch(name) else ""

    def _value(self, node: ast.expr) -> str | None:
        """A literal, or the member of an enumeration: `Environment.PRODUCTION` has the value that its class gives."""
        text = self.module.string(node)
        while isinstance(node, ast.Attribute) and node.attr == "value":
            node = node.value
        if text is not None or not isinstance(node, ast.Attribute):
            return text
        member = self.module.classes.get(self.module.origin(node.value).split(".")[-1])
        for statement in member.body if member else ():
            for name, value in assigned(statement):
                if name == node.attr and (text := self.module.string(value)):
                    return text
        return node.attr.lower() if node.attr.isupper() else None
