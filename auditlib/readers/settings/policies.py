"""What Python code allows to every caller: the origins of CORS, debugging, and a server that is made for development.

Follows https://www.starlette.io/middleware/#corsmiddleware, https://flask-cors.readthedocs.io,
https://github.com/adamchainz/django-cors-headers, https://docs.djangoproject.com/en/stable/ref/settings/#debug and
https://flask.palletsprojects.com/en/stable/api/#flask.Flask.run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from auditlib.inventory.configuration import AllowedOrigin, AnyHost, DebugSwitch, DevelopmentServer
from auditlib.patterns import regex
from auditlib.readers.python_code import Module, assigned, keyword, unparsed

_HOLDER = regex(r"(?:cors|allow(?:ed)?)_?(?:cors_?)?(?:\w+_)?origins?|(?:\w+_)?cors_origins?\w*|origins", re.I)
_ALLOW_ALL = frozenset({"CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL"})
_CREDENTIALS = ("allow_credentials", "supports_credentials")
_MIDDLEWARE = regex(r"(?:^|\.)(?:CORSMiddleware|CORS|cross_origin|add_middleware|Middleware|init_app)$")
_DEVELOPMENT = regex(r"debug|(?<![a-z])(?:dev|local|test)", re.I)
_PRODUCTION = regex(r"prod|(?<!_)live", re.I)
_MAIN = "__name__ == '__main__'"
_DEBUG_CALL = regex(r"(?:^|\.)(?:run|FastAPI|Flask|Starlette|Quart|Sanic|Application|run_app)$")
_DEPTH = 40
Policy = AllowedOrigin | AnyHost | DebugSwitch | DevelopmentServer


def read_policies(module: Module) -> Iterator[Policy]:
    """The policies of a file; what only a development branch allows is left out."""
    found = list(_Policies(module).read(module.tree.body, "", 0))
    yield from sorted(dict.fromkeys(found), key=lambda item: (item.location.line, item.location.column))


class _Policies:
    def __init__(self, module: Module) -> None:
        self.module = module

    def read(self, body: list[ast.stmt], owner: str, depth: int, main: bool = False) -> Iterator[Policy]:
        """Every statement of a block and of the blocks in it; `owner` is the function or class that it stands in."""
        for statement in body if depth < _DEPTH else ():
            if isinstance(statement, ast.If):
                yield from self._branch(statement, owner, depth, main)
            elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                if not (isinstance(statement, ast.ClassDef) and _DEVELOPMENT.search(statement.name)):
                    yield from self.read(statement.body, statement.name, depth + 1, main)
            else:
                yield from self._statement(statement, owner, main)
                for part in ("body", "orelse", "finalbody"):
                    yield from self.read(getattr(statement, part, []), owner, depth + 1, main)

    def _branch(self, node: ast.If, owner: str, depth: int, main: bool) -> Iterator[Policy]:
        test = unparsed(node.test)
        production = bool(_PRODUCTION.search(test))
        negated = isinstance(node.test, ast.UnaryOp) or "!=" in test
        development = production == negated and (production or bool(_DEVELOPMENT.search(test)))
        if not development:
            yield from self.read(node.body, owner, depth + 1, main or test == _MAIN)
        if not (production and not negated):
            yield from self.read(node.orelse, owner, depth + 1, main)

    def _statement(self, statement: ast.stmt, owner: str, main: bool) -> Iterator[Policy]:
        for name, value in assigned(statement):
            if _is_true(value) and name in _ALLOW_ALL:
                yield AllowedOrigin("*", name, False, self.module.location(statement))
            elif _HOLDER.fullmatch(name):
                yield from self._origins(value, name, False)
            elif name == "ALLOWED_HOSTS" and _takes_all(value):
                yield AnyHost(self.module.location(statement))
            elif _is_true(value) and name == "DEBUG":
                yield DebugSwitch("DEBUG", main, self.module.location(statement))
            elif _is_true(value) and name == "CORS_ALLOW_CREDENTIALS":
                yield AllowedOrigin("", name, True, self.module.location(statement))
        if isinstance(statement, ast.Return) and statement.value is not None and _HOLDER.fullmatch(owner):
            yield from self._origins(statement.value, owner, False)
        if not hasattr(statement, "body"):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call):
                    yield from self._call(node, main)

    def _call(self, node: ast.Call, main: bool) -> Iterator[Policy]:
        function = self.module.origin(node.func)
        if _MIDDLEWARE.search(function):
            yield from self._middleware(node, function.split(".")[-1])
        value = keyword(node, "debug")
        if value is not None and _is_true(value) and _DEBUG_CALL.search(function):
            yield DebugSwitch(f"{function.split('.')[-1]}(debug=True)", main, self.module.location(node))
        if function.endswith(".run") and self._is_flask(node.func):
            yield DevelopmentServer(self.module.location(node))

    def _is_flask(self, function: ast.expr) -> bool:
        """Whether a method is one of an application of Flask that the file makes."""
        made = self.module.resolved(function.value) if isinstance(function, ast.Attribute) else None
        return isinstance(made, ast.Call) and self.module.origin(made.func) == "flask.Flask"

    def _middleware(self, node: ast.Call, function: str) -> Iterator[AllowedOrigin]:
        arguments = {item.arg: item.value for item in node.keywords if item.arg}
        credentials = any(_is_true(arguments[name]) for name in _CREDENTIALS if name in arguments)
        given = [arguments[name] for name in ("allow_origins", "origins", "resources") if name in arguments]
        for value in given:
            yield from self._origins(value, function, credentials)
        pattern = self.module.string(arguments.get("allow_origin_regex"))
        if pattern in (".*", "^.*$", ".+", "https?://.*"):
            yield AllowedOrigin("*", function, credentials, self.module.location(node))
        is_flask = function == "CORS" and self.module.origin(node.func).startswith("flask_cors")
        if is_flask and not given and node.args:
            yield AllowedOrigin("*", "CORS()", credentials, self.module.location(node))
        elif credentials and given:
            yield AllowedOrigin("", function, True, self.module.location(node))

    def _origins(self, value: ast.expr, holder: str, credentials: bool) -> Iterator[AllowedOrigin]:
        for node in ast.walk(self.module.resolved(value)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 1000:
                for text in (part.strip() for part in node.value.split(",")):
                    if text == "*" or "://" in text:
                        yield AllowedOrigin(text, holder, credentials, self.module.location(node))


def _takes_all(node: ast.expr) -> bool:
    """Whether a list written out has an element that stands for every host."""
    elements = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return any(isinstance(item, ast.Constant) and item.value == "*" for item in elements)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
