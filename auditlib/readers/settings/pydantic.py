"""Settings classes of pydantic, versions 1 and 2.

Follows https://docs.pydantic.dev/latest/concepts/pydantic_settings/ and https://docs.pydantic.dev/1.10/usage/settings/.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.inventory.configuration import Setting, SettingsFile
from auditlib.patterns import regex
from auditlib.readers.python_code import Module, assigned, keyword, unparsed
from auditlib.readers.python_paths import literal_path
from auditlib.readers.settings.defaults import default, field_default
from auditlib.redaction import Vault

PREPARED = ", prepared by a validator"
_ENUMERATIONS = frozenset({"Enum", "StrEnum"})
_NESTING = 5
_FIELDS = 2_000
"""Fields of one class, nested models included: models may hold each other, so that their number is not bounded."""
_COLLECTION = regex(r"(?:typing\.)?(?:[Ll]ist|[Ss]et|[Tt]uple|[Dd]ict|FrozenSet|frozenset|Sequence)\[[^|]*\]")
_BY_NAME = ("populate_by_name", "validate_by_name", "allow_population_by_field_name")
"""https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.validate_by_name"""
_DECODERS = frozenset(
    {"parse_env_var", "settings_customise_sources", "enable_decoding", "NoDecode", "decode_complex_value"}
)
_LITERALS = (ast.Constant, ast.List, ast.Dict)


class _Options(Struct):
    """What `Config` or `model_config` says, inherited from base to subclass."""

    prefix: str = ""
    case_sensitive: bool = False
    delimiter: str = ""
    optional_is_none: bool = False
    """Version 1 gives `Optional[…]` the default None; version 2 doesn't."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """`Config.fields` of version 1: the variables of a field."""

    by_name: bool = False
    """Whether a field with an alias is read by its own name as well."""

    def variable(self, name: str) -> str:
        """The environment variable of this name."""
        return name if self.case_sensitive else name.upper()


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def settings_classes(module: Module) -> dict[str, ast.ClassDef]:
    """The classes of a file that pydantic fills from the environment, those derived from each other included."""
    found: dict[str, ast.ClassDef] = {}
    for _ in range(_NESTING):
        for node in module.classes.values():
            origins = [module.origin(base.value if isinstance(base, ast.Subscript) else base) for base in node.bases]
            if any(name.split(".")[-1].endswith("BaseSettings") or name in found for name in origins):
                found[node.name] = node
    return found


def read_pydantic(module: Module, vault: Vault) -> Iterator[Setting | SettingsFile]:
    """The settings that the pydantic classes of a file declare, and the environment files that they load."""
    classes = settings_classes(module)
    for node in classes.values():
        yield from _Reader(module, vault, classes).read(node)


class _Place(Struct, frozen=True):
    """Where a field stands: the dotted name of what holds it, and what comes before its own name."""

    owner: str
    options: _Options
    prefix: str


class _Field(Struct, frozen=True):
    """A field as a class declares it."""

    statement: ast.stmt
    name: str
    annotation: ast.expr | None
    value: ast.expr | None


class _Reader(Struct):
    module: Module
    vault: Vault
    settings: dict[str, ast.ClassDef]
    count: int = 0

    def read(self, node: ast.ClassDef) -> Iterator[Setting | SettingsFile]:
        """A derived class yields its own fields, and again those of its bases if it reads them by another name."""
        options = self._options(node)
        for _, entries in self._configurations(node):
            if (files := entries.get("env_file")) is not None:
                yield from self._files(files)
        place = _Place(node.name, options, options.prefix)
        yield from self._fields(node, place)
        for base in self._bases(node):
            if self._options(base).prefix != options.prefix:
                yield from self._fields(base, place)

    def _bases(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """The bases of a class within the file, the nearest first."""
        found: list[ast.ClassDef] = []
        queue = [node]
        while queue and len(found) < _NESTING:
            names = [self.module.origin(base) for base in queue.pop(0).bases]
            new = [self.settings[name] for name in names if name in self.settings]
            queue += [item for item in new if item not in found and item is not node]
            found += [item for item in new if item not in found and item is not node]
        return found

    def _options(self, node: ast.ClassDef) -> _Options:
        options = _Options()
        for item in [*reversed(self._bases(node)), node]:
            for version, entries in self._configurations(item):
                options.optional_is_none = version == 1
                options.prefix = self.module.string(entries.get("env_prefix")) or options.prefix
                options.delimiter = self.module.string(entries.get("env_nested_delimiter")) or options.delimiter
                if isinstance(flag := entries.get("case_sensitive"), ast.Constant):
                    options.case_sensitive = bool(flag.value)
                options.by_name = options.by_name or any(_is_true(entries.get(word)) for word in _BY_NAME)
                options.names.update(self._field_names(entries.get("fields")))
        if any(origin == "pydantic.BaseSettings" for origin in self.module.imports.values()):
            options.optional_is_none = True
        return options

    def _configurations(self, node: ast.ClassDef) -> Iterator[tuple[int, dict[str, ast.expr]]]:
        """The entries of `class Config` (version 1), of `model_config` and of the class's own keywords (version 2)."""
        for statement in node.body:
            if isinstance(statement, ast.ClassDef) and statement.name == "Config":
                yield 1, {name: value for item in statement.body for name, value in assigned(item)}
            for name, value in assigned(statement):
                if name == "model_config" and isinstance(value, ast.Call):
                    yield 2, {item.arg: item.value for item in value.keywords if item.arg}
                elif name == "model_config" and isinstance(value, ast.Dict):
                    yield 2, dict(self._entries(value))
        if node.keywords:
            yield 2, {item.arg: item.value for item in node.keywords if item.arg}

    def _entries(self, node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
        for key, value in zip(node.keys, node.values, strict=True):
            if name := self.module.string(key):
                yield name, value

    def _field_names(self, node: ast.expr | None) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name, value in self._entries(node) if isinstance(node, ast.Dict) else ():
            if isinstance(value, ast.Dict):
                yield name, self.module.strings(dict(self._entries(value)).get("env"))

    def _files(self, node: ast.expr) -> Iterator[SettingsFile]:
        node = self.module.resolved(node)
        for item in node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]:
            if path := literal_path(self.module, item):
                yield SettingsFile(path, self.module.location(item))

    def _fields(self, node: ast.ClassDef, place: _Place) -> Iterator[Setting]:
        for statement in node.body:
            item = self._declared(statement, place.options)
            if item is None or item.name.startswith("_") or item.name == "model_config":
                continue
            self.count += 1
            if self.count > _FIELDS:
                return
            yield from self._field(item, place)

    def _declared(self, statement: ast.stmt, options: _Options) -> _Field | None:
        """The field that a statement declares; version 1 takes one without an annotation, too."""
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            plain = statement.annotation
            plain = plain.value if isinstance(plain, ast.Subscript) else plain
            if self.module.origin(plain).split(".")[-1] == "ClassVar":
                return None
            return _Field(statement, statement.target.id, statement.annotation, statement.value)
        if isinstance(statement, ast.Assign) and options.optional_is_none and isinstance(statement.value, _LITERALS):
            names = [name for name, _ in assigned(statement)]
            return _Field(statement, names[0], None, statement.value) if names else None
        return None

    def _field(self, item: _Field, place: _Place) -> Iterator[Setting]:
        nested = self.module.classes.get(self.module.origin(item.annotation)) if item.annotation is not None else None
        if nested is not None and nested.name in self.settings:
            return  # it reads its own variables
        nested = None if nested is not None and self._members(nested) else nested
        delimiter = place.options.delimiter
        if nested is not None and delimiter and place.owner.count(".") < _NESTING:
            inner = _Place(f"{place.owner}.{item.name}", place.options, place.prefix + item.name + delimiter)
            yield from self._fields(nested, inner)
            return
        yield self._setting(item, place)

    def _setting(self, item: _Field, place: _Place) -> Setting:
        value, call = field_default(self.module, item.value)
        names = self._names(item.name, call or self._annotated_field(item.annotation), place)
        found = default(self.module, names[0], value, self.vault)
        kind = unparsed(item.annotation) if item.annotation is not None else type(getattr(value, "value", "")).__name__
        implicit = place.options.optional_is_none and ("Optional" in kind or "None" in kind)
        return Setting(
            name=names[0],
            attribute=f"{place.owner}.{item.name}",
            type=self.vault.mask(f"{kind}{self._allowed(item.annotation)}{self._preparation(item.name)}"),
            default=found.value,
            default_kind=found.kind,
            required=found.kind == "none" and not implicit,
            style="pydantic",
            wants_json=bool(_COLLECTION.fullmatch(kind)) and not self._decodes_itself,
            location=self.module.location(item.statement),
            aliases=names[1:],
        )

    def _preparation(self, name: str) -> str:
        """That a validator of the file changes what the environment says before the type is looked at."""
        calls = (item for node in self.module.of(ast.FunctionDef) for item in node.decorator_list)
        for call in calls:
            if isinstance(call, ast.Call) and self.module.origin(call.func).endswith("validator"):
                fields = {text for item in call.args for text in self.module.strings(item)}
                mode, pre = keyword(call, "mode"), keyword(call, "pre")
                before = pre is not None or (mode is not None and self.module.string(mode) == "before")
                if before and fields & {name, "*"}:
                    return PREPARED
        return ""

    def _allowed(self, annotation: ast.expr | None) -> str:
        """The values of an enumeration that the file declares, as a list of literals."""
        found = self.module.classes.get(self.module.origin(annotation)) if annotation is not None else None
        values = self._members(found) if found is not None else []
        return f" = Literal[{', '.join(map(repr, values))}]" if values else ""

    def _members(self, item: ast.ClassDef) -> list[str]:
        """The texts that an enumeration names; none for another class."""
        named = {node.name for node in item.body if isinstance(node, ast.FunctionDef)}
        kinds = {self.module.origin(base).rpartition(".")[2] for base in item.bases}
        if _ENUMERATIONS.isdisjoint(kinds) or "_missing_" in named:  # which takes other texts, too
            return []
        pairs = (pair for statement in item.body for pair in assigned(statement))
        return [text for _, value in pairs if (text := self.module.string(value))]

    @property
    def _decodes_itself(self) -> bool:
        """Whether the file has variables read in a way of its own, so that a list need not be JSON."""
        functions = {node.name for node in self.module.of(ast.FunctionDef)}
        names = {node.id for node in self.module.of(ast.Name)}
        words = {node.arg for node in self.module.of(ast.keyword)}
        return bool(_DECODERS & (functions | names | words))

    def _annotated_field(self, annotation: ast.expr | None) -> ast.Call | None:
        """The `Field` in `Annotated[str, Field(alias="X")]`."""
        if not (isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple)):
            return None
        calls = (item for item in annotation.slice.elts if isinstance(item, ast.Call))
        return next((call for call in calls if field_default(self.module, call)[1]), None)

    def _names(self, name: str, call: ast.Call | None, place: _Place) -> tuple[str, ...]:
        """The variables of a field; an alias goes without the prefix."""
        aliases = place.options.names.get(name, ())
        for key in ("validation_alias", "env", "alias"):
            given = keyword(call, key) if call else None
            if isinstance(given, ast.Call):
                aliases = aliases or tuple(text for item in given.args for text in self.module.strings(item))
            aliases = aliases or self.module.strings(given)
        own = () if aliases and not place.options.by_name else (place.prefix + name,)
        return tuple(dict.fromkeys(place.options.variable(item) for item in (*aliases, *own)))
