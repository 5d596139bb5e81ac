"""Single variables that Python code asks for: `os.environ`, `os.getenv`, decouple, django-environ, environs, Starlette.

Follows https://docs.python.org/3/library/os.html#os.environ, https://github.com/HBNetwork/python-decouple,
https://django-environ.readthedocs.io and https://www.starlette.io/config/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain, pairwise

from msgspec.structs import replace

from auditlib.inventory.configuration import Setting, SettingsFile
from auditlib.readers.python_code import Module, argument, keyword
from auditlib.readers.python_paths import literal_path
from auditlib.readers.settings import checks, own_lookups, targets
from auditlib.readers.settings.defaults import NONE, default
from auditlib.readers.settings.own_lookups import OwnLookup
from auditlib.readers.settings.variable_names import VariableNames
from auditlib.redaction import Vault, is_credential_name

_GETTERS = {
    "os.getenv": "getenv", "os.environ.get": "environ", "os.environ.pop": "environ", "os.environ.setdefault": "environ",
    "decouple.config": "decouple", "decouple.AutoConfig": "decouple",
}  # fmt: skip
_ENV_CLASSES = {
    "environ.Env": "django-environ", "environ.FileAwareEnv": "django-environ",
    "environs.Env": "environs", "environs.FileAwareEnv": "environs",
}  # fmt: skip
_TYPED = frozenset(_ENV_CLASSES.values())
"""Styles whose readers have a method for each type: `env.str("X")`."""
_NO_LOOKUPS = frozenset({
    "add_parser", "cache_url_config", "db_url_config", "dump", "email_url_config", "parse_value", "parser_for",
    "prefixed", "seal", "search_url_config",
})  # fmt: skip
"""Methods of these readers that ask for no variable."""
_COMPUTED_LIMIT = 20
_WRITERS = frozenset({"os.environ.pop", "os.environ.setdefault"})
"""They change the environment; of a computed name they say nothing about what is needed."""
_CONFIG_CLASSES = {
    "starlette.config.Config": "starlette", "decouple.Config": "decouple", "decouple.AutoConfig": "decouple",
}  # fmt: skip
_FILE_LOADERS = frozenset({"dotenv.load_dotenv", "dotenv.dotenv_values", "dotenv.main.load_dotenv"})
_CAUGHT = frozenset({"KeyError", "LookupError", "Exception", "BaseException"})
_CASTS = frozenset({"int", "float", "bool", "str", "Path", "Decimal", "strtobool"})
_ENV_TYPES = {
    "db_url": "database URL", "db": "database URL", "cache_url": "cache URL", "cache": "cache URL",
    "email_url": "email URL", "search_url": "search URL",
}  # fmt: skip
_CONVENTIONS = {
    "dj_database_url.config": ("DATABASE_URL", "database URL"), "dj_email_url.config": ("EMAIL_URL", "email URL"),
    "django_cache_url.config": ("CACHE_URL", "cache URL"), "dj_search_url.config": ("SEARCH_URL", "search URL"),
    "dj_redis_url.config": ("REDIS_URL", "Redis URL"),
}  # fmt: skip
"""Calls that read one variable, which they needn't be told the name of, with what it is."""
_NAMES = {"db_url": "DATABASE_URL", "db": "DATABASE_URL", "cache_url": "CACHE_URL", "cache": "CACHE_URL"}
"""What these methods read when they are given no name."""


def read_lookups(module: Module, vault: Vault, above: Iterable[Module] = ()) -> Iterator[Setting | SettingsFile | int]:
    """The variables that a file asks for one by one, and the environment files that it loads, also by what it has of
    the files `above` it (`from .base import *`).

    After them the lines at which only the running program knows the variable's name.
    """
    lookups = _Lookups(module, vault, above)
    found = list(_lookups(module, lookups))
    yield from sorted(found, key=lambda item: (item.location.line, item.location.column))
    yield from sorted(set(lookups.computed))[:_COMPUTED_LIMIT]


def _lookups(module: Module, lookups: _Lookups) -> Iterator[Setting | SettingsFile]:
    for node in module.of(ast.Call, ast.Subscript, ast.Compare):
        if isinstance(node, ast.Call):
            yield from lookups.of_call(node)
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            yield from lookups.of_subscript(node)
        elif isinstance(node, ast.Compare):
            yield from lookups.of_membership(node)


class _Lookups:
    def __init__(self, module: Module, vault: Vault, above: Iterable[Module] = ()) -> None:
        self.module, self.vault = module, vault
        self.readers: dict[str, str] = {}
        """Names that hold an object which reads variables (`env = environ.Env()`), with its style."""
        self.schema: dict[str, tuple[str, ast.expr | None]] = {}
        """Types and defaults that `environ.Env(DEBUG=(bool, False))` declares."""
        self.names = VariableNames(module)
        self.own = {name: own for item in (*above, module) for name, own in own_lookups.functions(item).items()}
        """Functions of the file that look up what they are given the name of."""
        self.computed: list[int] = []
        """The lines at which the name of a variable is computed."""
        for item in (*above, module):
            for name, value in item.assignments:
                if isinstance(value, ast.Call) and (style := self._style_of_class(item.origin(value.func))):
                    self.readers[name] = style
                    self._learn(value)

    def _style_of_class(self, origin: str) -> str:
        return _ENV_CLASSES.get(origin) or _CONFIG_CLASSES.get(origin, "")

    def _learn(self, call: ast.Call) -> None:
        for item in call.keywords:
            if item.arg and isinstance(item.value, ast.Tuple) and item.value.elts:
                rest = item.value.elts[1] if len(item.value.elts) > 1 else None
                self.schema[item.arg] = (self.module.origin(item.value.elts[0]), rest)
            elif item.arg:
                self.schema[item.arg] = (self.module.origin(item.value), None)

    @cached_property
    def _demanded(self) -> set[int]:
        return checks.demanded(self.module)

    @cached_property
    def _targets(self) -> dict[int, str]:
        return targets.credentials(self.module)

    @cached_property
    def _fallbacks(self) -> dict[int, ast.expr]:
        """What stands after `or` behind a lookup: `os.getenv("X") or "default"`."""
        pairs = (pairwise(node.values) for node in self.module.of(ast.BoolOp) if isinstance(node.op, ast.Or))
        return {id(left): right for left, right in chain.from_iterable(pairs)}

    @cached_property
    def _casts(self) -> dict[int, str]:
        """The type that a lookup is turned into: `int(os.getenv("PORT", "80"))`."""
        calls = (node for node in self.module.of(ast.Call) if len(node.args) == 1)
        casts = {id(call.args[0]): name for call in calls if (name := self.module.origin(call.func)) in _CASTS}
        for node in self.module.of(ast.BoolOp):
            if id(node) in casts:
                casts.update((id(value), casts[id(node)]) for value in node.values)
        return casts

    @cached_property
    def _guarded(self) -> set[int]:
        """The lookups whose failure is caught: they are not required."""
        tries = [node for node in self.module.of(ast.Try) if any(map(self._catches, node.handlers))]
        statements = [statement for node in tries for statement in node.body if not isinstance(statement, ast.Try)]
        subscripts: set[int] = set()
        for statement in statements[:1000]:
            subscripts.update(id(node) for node in ast.walk(statement) if isinstance(node, ast.Subscript))
        return subscripts

    @cached_property
    def _branched(self) -> set[int]:
        """The lookups below an `if`, or in a branch of an expression."""
        branches = [item for node in self.module.of(ast.If) for item in (*node.body, *node.orelse)]
        chosen = [item for node in self.module.of(ast.IfExp) for item in (node.body, node.orelse)]
        return {id(node) for item in (*branches, *chosen)[:1000] for node in ast.walk(item)}

    @cached_property
    def _called(self) -> set[int]:
        """The lookups inside functions, which take place when these are called."""
        within: set[int] = set()
        for function in self.module.of(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):  # the outer ones first
            if id(function) not in within:
                within.update(map(id, ast.walk(function)))
        return within

    def _catches(self, handler: ast.ExceptHandler) -> bool:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(kind is None or self.module.origin(kind) in _CAUGHT for kind in kinds)

    def of_subscript(self, node: ast.Subscript) -> Iterator[Setting]:
        """`os.environ["X"]`."""
        if self.module.origin(node.value) != "os.environ":
            return
        required = id(node) not in self._guarded
        for name in self._named(node.slice, node):
            yield self._setting(name, node, "os.environ", "environ", None, required=required)

    def _named(self, key: ast.expr | None, node: ast.expr) -> tuple[str, ...]:
        """The variables that a lookup names; a name that is computed is noted."""
        names = self.names.of(key)
        writes = isinstance(node, ast.Call) and self.module.origin(node.func) in _WRITERS
        if key is not None and not names and not writes and not isinstance(key, ast.Constant):
            self.computed.append(node.lineno)
        if secret := next(filter(is_credential_name, names), ""):
            self._targets.setdefault(id(node), secret)  # what one of them falls back to, all of them do
        return names

    def of_membership(self, node: ast.Compare) -> Iterator[Setting]:
        """`"X" in os.environ`."""
        asks = isinstance(node.ops[0], (ast.In, ast.NotIn)) and self.module.origin(node.comparators[0]) == "os.environ"
        for name in self.names.of(node.left) if asks else ():
            yield self._setting(name, node, "os.environ", "environ", None, required=False)

    def of_call(self, node: ast.Call) -> Iterator[Setting | SettingsFile]:
        """A call that reads a variable or loads a file of them."""
        origin = self.module.origin(node.func)
        first, _, method = origin.partition(".")
        known = first in self.readers or origin.startswith(("environ.", "environs."))
        if origin in _FILE_LOADERS or (method.endswith("read_env") and known):
            yield from self._file(node, ".env")
        elif origin in _CONFIG_CLASSES or (origin == "decouple.RepositoryEnv"):
            yield from self._file(node, "")
        elif origin in _GETTERS:
            yield from self._lookup(node, origin, _GETTERS[origin], argument(node, 1, "default"))
        elif origin in _CONVENTIONS:
            yield from self._by_convention(node, origin)
        elif origin in self.own:
            yield from self._through_own(node, self.own[origin])
        elif first in self.readers and method not in _NO_LOOKUPS and self._has_method(first, method):
            yield from self._through_reader(node, origin, self.readers[first], method)

    def _by_convention(self, node: ast.Call, origin: str) -> Iterator[Setting]:
        """`dj_database_url.config(default="…")`, `dj_database_url.config("OTHER_URL")`."""
        usual, kind = _CONVENTIONS[origin]
        key, given = argument(node, 0, "env"), argument(node, 1, "default")
        for name in (usual,) if key is None else self._named(key, node):
            yield replace(self._setting(name, node, origin, "getenv", given, required=False), type=kind)

    def _through_own(self, node: ast.Call, own: OwnLookup) -> Iterator[Setting]:
        """`require_env("X")`, `get_env("X", "a default")`."""
        key = argument(node, 0, "name")
        given = node.args[1] if len(node.args) > 1 else keyword(node, "default")
        for name in self.names.of(key):
            yield self._setting(name, node, own.name, "getenv", given, required=own.demands and given is None)

    def _has_method(self, reader: str, method: str) -> bool:
        return method in ("", "get") or self.readers[reader] in _TYPED

    def _file(self, node: ast.Call, usual: str) -> Iterator[SettingsFile]:
        given = argument(node, 0, "dotenv_path") or keyword(node, "env_file") or keyword(node, "path")
        if path := literal_path(self.module, given) if given is not None else usual:
            above = "../" if given is not None and _is_above(given) else ""
            yield SettingsFile(f"{above}{path}", self.module.location(node))
        elif given is not None and usual:
            yield SettingsFile(usual, self.module.location(node))

    def _through_reader(self, node: ast.Call, origin: str, style: str, method: str) -> Iterator[Setting]:
        """`env("X")`, `env.str("X", default="…")`, `config("X", cast=int, default=80)`."""
        given = keyword(node, "default")
        if given is None and len(node.args) > 1:
            # `env("X", …)` and Starlette's `config("X", …)` take a cast second, `env.str("X", …)` takes the default
            place = 2 if style == "starlette" or (style == "django-environ" and not method) else 1
            given = node.args[place] if len(node.args) > place else None
        yield from self._lookup(node, origin, style, given)

    def _lookup(self, node: ast.Call, origin: str, style: str, given: ast.expr | None) -> Iterator[Setting]:
        method = origin.rpartition(".")[2]
        key = argument(node, 0, "key")
        key = keyword(node, "var") if key is None else key
        usual = _NAMES.get(method, "") if key is None and style == "django-environ" else ""
        prefix = self.names.prefix(origin.partition(".")[0], node)
        if prefix is None:
            self.computed.append(node.lineno)
            return
        for name in (usual,) if usual else self._named(key, node):
            yield self._asked_for(prefix + name, node, origin, style, given)

    def _asked_for(self, name: str, node: ast.Call, origin: str, style: str, given: ast.expr | None) -> Setting:
        method = origin.rpartition(".")[2]
        schema_type, schema_default = self.schema.get(name, ("", None))
        given = given if given is not None else schema_default
        fallback = self._fallbacks.get(id(node))
        given = fallback if fallback is not None and not isinstance(fallback, (ast.Call, ast.Subscript)) else given
        strict = style not in ("getenv", "environ")
        required = given is None and (strict or id(node) in self._demanded)
        setting = self._setting(name, node, origin, style, given, required=required)
        cast = keyword(node, "cast")
        cast = node.args[1] if cast is None and style == "starlette" and len(node.args) > 1 else cast
        declared = self.module.origin(cast) if cast is not None else schema_type
        if not declared and style in _TYPED and method not in ("get", origin):
            declared = _ENV_TYPES.get(method, method)
        return replace(setting, type=declared) if declared else setting

    def _setting(
        self, name: str, node: ast.expr, origin: str, style: str, given: ast.expr | None, *, required: bool
    ) -> Setting:
        shown_as = targets.revealing(name, self._targets.get(id(node), ""))
        found = NONE if given is None else default(self.module, shown_as, given, self.vault)
        return Setting(
            name=name,
            attribute=origin,
            type=self._casts.get(id(node), "str"),
            default=found.value,
            default_kind=found.kind,
            required=required,
            style=style,
            location=self.module.location(node),
            conditional=id(node) in self._branched,
            called=id(node) in self._called,
        )


def _is_above(path: ast.expr) -> bool:
    """Whether a path leaves the folder that a name stands for: `BASE_DIR.parent / ".env"`."""
    while isinstance(path, ast.Call) and path.args:
        path = path.args[0]  # `str(BASE_DIR.parent / ".env")`
    while isinstance(path, ast.BinOp):
        path = path.left
    return isinstance(path, ast.Attribute) and path.attr == "parent" and isinstance(path.value, ast.Name)
