"""Reads where code ends at a secret that still has a value everybody knows: `if key == "change-me": raise …`.

Python by its syntax tree (https://docs.python.org/3/reference/compound_stmts.html#the-if-statement), JavaScript,
TypeScript and Go by the form of the condition.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from itertools import islice

from auditlib.inventory.configuration import RefusedValue
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import python_code
from auditlib.readers.env_files import is_env_file
from auditlib.readers.python_code import Module
from auditlib.readers.reading import Reading, each
from auditlib.readers.settings import is_test
from auditlib.source import Source, Unreadable

KIND = "refused value"
_SUFFIXES = (".py", ".js", ".mjs", ".cjs", ".ts", ".go")
_ENDS = ("raise", "exit", "throw", "Fatal", "panic", "Errorf", "errors.New", "abort")
_SECRET = regex(r"(?i)secret|key|pass|pwd|token|salt|jwt|credential|dsn|\bv(?:alue)?\b")
_EXITS = frozenset({"sys.exit", "exit", "os._exit", "quit", "os.abort"})
_LEAST = 4
_MOST_VALUES = 50
_CONDITION = regex(r"\bif\b\s*\(?(?P<test>[^{};]{1,400}?)\)?\s*\{(?P<body>[^{}]{0,400})")
_COMPARED = regex(r"""(?P<left>[\w.?!\[\]]{1,80})\s*===?\s*(?P<quote>["'`])(?P<value>[^"'`\n]{4,200})(?P=quote)""")
_STOPS = regex(r"\bthrow\b|process\.exit\(|\blog\.Fatal|\bos\.Exit\(|\bpanic\(|\breturn\b[^\n]*(?:Errorf|errors\.New)")


def read(source: Source) -> Reading:
    """Every value that code refuses for a secret, tests left out."""
    files = [
        path for path in source.files if path.endswith(_SUFFIXES) and not is_test(path) and _may_refuse(source, path)
    ]
    return Reading(each(source, files, KIND, _read).records, [])


def _may_refuse(source: Source, path: str) -> bool:
    try:
        text = source.text(path)
    except Unreadable:
        return False
    return any(word in text for word in _ENDS) and _SECRET.search(text) is not None


def _read(source: Source, path: str) -> Iterator[RefusedValue]:
    found = _of_python(source, path) if path.endswith(".py") else _of_scripts(source, path)
    for text, location, always in islice(found, _MOST_VALUES):
        value = source.vault.value("secret", text)
        if value.identity:
            yield RefusedValue(value.identity, location, always)


def _of_scripts(source: Source, path: str) -> Iterator[tuple[str, Location, bool]]:
    text = source.text(path)
    for match in _CONDITION.finditer(text) if "==" in text else ():
        for item in _COMPARED.finditer(match["test"]) if _STOPS.search(match["body"]) else ():
            if _SECRET.search(item["left"]):
                line = text.count("\n", 0, match.start("test") + item.start()) + 1
                yield item["value"], Location(path, line), False


def _of_python(source: Source, path: str) -> Iterator[tuple[str, Location, bool]]:
    module = python_code.parse(source, path)
    conditions = [node for node in module.of(ast.If) if any(map(partial(_ends, module), ast.walk(_body(node))))]
    inner = {id(below) for node in module.of(ast.If) for item in (*node.body, *node.orelse) for below in ast.walk(item)
             if isinstance(below, ast.If)} if conditions else set()  # fmt: skip
    names = _names(module) if conditions else {}
    for node in conditions:
        plain = not (isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And))
        always = plain and id(node) not in inner and any(map(partial(_ends, module), node.body))
        for text, is_part in _refused(node.test, names):
            for whole in _with_part(source, text) if is_part else (text,):
                yield whole, module.location(node.test), always


def _body(node: ast.If) -> ast.Module:
    return ast.Module(node.body, [])


def _ends(module: Module, node: ast.AST) -> bool:
    """Whether a statement ends the program, or what called it."""
    if isinstance(node, ast.Expr):
        node = node.value
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and module.origin(node.func) in _EXITS)


def _names(module: Module) -> dict[str, ast.expr]:
    """What the names of the file are set to, be it on top, in a class or in a function."""
    pairs = [(target, node.value) for node in module.of(ast.Assign) for target in node.targets]
    pairs += [(node.target, node.value) for node in module.of(ast.AnnAssign) if node.value is not None]
    found = {_name(target): value for target, value in pairs}
    found.pop("", None)
    return found


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _refused(test: ast.expr, names: dict[str, ast.expr]) -> Iterator[tuple[str, bool]]:
    """The values that a condition compares a secret with, and whether it only asks for them as a part."""
    for node in ast.walk(test):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            if node.args and _SECRET.search(python_code.unparsed(node.func.value)):
                yield from ((text, True) for text in _texts(node.args[0], names))
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.In)):
            left, right = node.left, node.comparators[0]
            own = list(_texts(left, names)) if isinstance(left, ast.Constant) else []
            if own and isinstance(node.ops[0], ast.In) and _SECRET.search(python_code.unparsed(right)):
                yield from ((text, True) for text in own)
            elif _SECRET.search(python_code.unparsed(left)):
                yield from ((text, False) for text in _texts(right, names))


def _texts(node: ast.expr, names: dict[str, ast.expr]) -> Iterator[str]:
    """The strings that an expression is, or holds, names seen through."""
    node = names.get(_name(node), node)
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.func, ast.Name):
        node = node.args[0]  # `frozenset({"…"})`
    items = node.elts if isinstance(node, (ast.Set, ast.Tuple, ast.List)) else [node]
    for item in (names.get(_name(each_one), each_one) for each_one in items):
        if isinstance(item, ast.Constant) and isinstance(item.value, str) and len(item.value) >= _LEAST:
            yield item.value


def _with_part(source: Source, part: str) -> Iterator[str]:
    """The values of environment files that have a text in them."""
    for path in source.files:
        for line in source.glance(path).splitlines() if is_env_file(path) else ():
            name, _, value = line.lstrip("# ").partition("=")
            bare = value.strip().strip("\"'")
            if part.lower() in bare.lower() and _SECRET.search(name):
                yield bare
