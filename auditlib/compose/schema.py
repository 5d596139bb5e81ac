"""The official Compose schema, and what is wrong with a project by it, in words.

The schema comes with check-jsonschema and may be newer than the Compose release this package agrees with, so
`_AMENDMENTS` takes out what that release does not know yet. Validation is jsonschema-rs, which is fast enough to look
at a file of 2,000 services in a few hundredths of a second; it is imported on first use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from auditlib.compose.errors import ComposeError, Path
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.compose.yaml_scalars import Timestamp

if TYPE_CHECKING:
    import jsonschema_rs

Fault = Callable[[str, Mark, Path], None]
_PULL = "always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+"


def official_schema() -> dict[str, Any]:
    """The schema as its package ships it; found without importing that package, which would take long."""
    spec = find_spec("check_jsonschema")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = FilePath(folder, "builtin_schemas", "vendor", "compose-spec.json")
        if path.is_file():
            schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return schema
    raise ComposeError("the package check-jsonschema, which ships the Compose schema, is not installed")


def amended_schema() -> dict[str, Any]:
    """The schema as Compose 2.40 has it."""
    schema = official_schema()
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    _flatten(schema, definitions)
    top = schema["properties"]
    top.pop("jobs", None)
    for section in ("networks", "models"):
        top[section].pop("additionalProperties", None)
    service = definitions["service"]
    fields = service["properties"]
    service["additionalProperties"] = False
    for newer in ("pre_start", "umask"):
        fields.pop(newer, None)
    for size in ("mem_limit", "memswap_limit", "shm_size"):
        fields[size]["type"] = ["number", "string"]
    fields["pull_policy"]["pattern"] = _PULL
    for alternative in fields["build"]["oneOf"]:
        alternative.get("properties", {}).pop("no_cache_filter", None)
    for alternative in fields["networks"]["oneOf"]:
        for network in alternative.get("patternProperties", {}).values():
            for form in network.get("oneOf", ()):
                form.get("properties", {}).pop("use_service_name_alias", None)
    return schema


def _flatten(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """A service that is composed of shared parts as one object, whose unknown keys can then be told singly."""
    for definition in definitions.values():
        parts = definition.pop("allOf", ())
        for part in parts:
            shared = definitions[part["$ref"].rsplit("/", 1)[-1]] if "$ref" in part else part
            for group in ("properties", "patternProperties"):
                definition[group] = {**shared.get(group, {}), **definition.get(group, {})}
        if parts:
            definition.pop("unevaluatedProperties", None)


@lru_cache(maxsize=1)
def _validator() -> jsonschema_rs.Validator:
    import jsonschema_rs

    return jsonschema_rs.validator_for(amended_schema())


def validate(project: Map, fault: Fault) -> Map:
    """The project without what the schema refuses; every refusal is reported with its place."""
    project = _without_dates(project, fault)
    validator = _validator()
    for _ in range(50):
        if validator.is_valid(project):
            return project
        for error in list(validator.iter_errors(project)):
            for path, reason in _reasons(error, project):
                fault(reason, mark_of(project, path), path)
                project = prune(project, path)
    return project


def _reasons(error: Any, project: Map) -> Iterator[tuple[Path, str]]:
    path: Path = tuple(error.instance_path)
    kind = type(error.kind).__name__.rpartition("_")[2]
    keyword = kind.lower()
    details = error.kind
    if keyword == "additionalproperties":
        for name in details.unexpected:
            yield (*path, name), f"unknown key; {_close(str(name), error, path)}"
    elif keyword in ("oneofnotvalid", "anyof", "oneofmultiplevalid"):
        yield from _deepest(details, path, error)
    else:
        yield path, _sentence(keyword, details, error, project)


def _deepest(details: Any, path: Path, error: Any) -> Iterator[tuple[Path, str]]:
    """Of a value with several allowed forms: what is wrong within the form that fits best, or the forms themselves."""
    branches = [branch for branch in getattr(details, "context", ()) if branch]
    inner = [e for branch in branches for e in branch if len(e.instance_path) > 0 or _kind(e) == "additionalproperties"]
    if not inner:
        wanted = sorted({w for branch in branches for e in branch for w in _types(e)})
        if wanted:
            yield path, f"expected {' or '.join(wanted)}, found {_found(error.instance)}"
        else:
            yield path, str(error.message)
        return
    best = max(inner, key=lambda e: (len(e.instance_path), _kind(e) == "additionalproperties"))
    below = tuple(best.instance_path)
    full = below if below[: len(path)] == path else (*path, *below)
    if _kind(best) == "additionalproperties":
        for name in best.kind.unexpected:
            yield (*full, name), "unknown key"
    elif _kind(best) in ("oneofnotvalid", "anyof"):
        yield from _deepest(best.kind, full, best)
    else:
        yield full, _sentence(_kind(best), best.kind, best, None)


def _kind(error: Any) -> str:
    return type(error.kind).__name__.rpartition("_")[2].lower()


_NAMES = {"object": "a mapping", "array": "a list", "string": "a text", "integer": "a whole number",
          "number": "a number", "boolean": "true or false", "null": "nothing"}  # fmt: skip


def _types(error: Any) -> list[str]:
    if _kind(error) == "type":
        types = error.kind.types
        return [_NAMES.get(str(t), str(t)) for t in types]
    if _kind(error) in ("oneofnotvalid", "anyof"):
        return [w for branch in error.kind.context for e in branch for w in _types(e)]
    return []


def _sentence(keyword: str, details: Any, error: Any, _project: Map | None) -> str:
    instance = error.instance
    if keyword == "type":
        return f"expected {' or '.join(_types(error))}, found {_found(instance)}"
    if keyword == "enum":
        options = ", ".join(str(o) for o in details.options)
        return f"expected one of {options}; found {_found(instance)}"
    if keyword == "minimum":
        return f"expected {details.limit} or more, found {_found(instance)}"
    if keyword == "maximum":
        return f"expected {details.limit} or less, found {_found(instance)}"
    if keyword == "required":
        return f"expected the key {details.property}"
    if keyword == "uniqueitems":
        return "expected each item once, found one twice"
    if keyword == "pattern":
        return f"expected a text that matches {details.pattern}, found {_found(instance)}"
    return str(error.message)


def _found(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"


def _close(name: str, _error: Any, path: Path) -> str:
    from difflib import get_close_matches

    known = _known(path)
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else "Compose knows no such key here"


def _known(path: Path) -> list[str]:
    schema = amended_schema()
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    if not path:
        return list(schema["properties"])
    if len(path) == 2 and path[0] == "services":
        return list(definitions["service"]["properties"])
    return list(definitions.get(str(path[0]).rstrip("s"), {}).get("properties", ()))


def mark_of(value: Any, path: Path) -> Mark:
    """The mark of the entry at a path, or of the nearest one above it that has any."""
    mark: Mark = None
    for part in path:
        if isinstance(value, Map) and part in value:
            mark, value = value.marks.get(str(part), mark), value[str(part)]
        elif isinstance(value, Seq) and isinstance(part, int) and part < len(value):
            mark, value = value.marks[part] or mark, value[part]
        else:
            break
    return mark


def prune(value: Any, path: Path) -> Any:
    """The project without the entry at a path."""
    if not path:
        return Map()
    key, rest = path[0], path[1:]
    if isinstance(value, Map) and key in value:
        out = value.copy()
        if rest:
            out[str(key)] = prune(value[str(key)], rest)
        else:
            out.drop(str(key))
        return out
    if isinstance(value, Seq) and isinstance(key, int) and key < len(value):
        items = value.copy()
        if rest:
            items[key] = prune(value[key], rest)
        else:
            items[key] = None
            del items[key], items.marks[key]
        return items
    return value


def _without_dates(value: Any, fault: Fault, path: Path = ()) -> Any:
    """Compose reads an unquoted date as such, and its schema then knows no type for it."""
    if isinstance(value, Timestamp):
        return DATE
    entries: Any = value.items() if isinstance(value, Map) else enumerate(value) if isinstance(value, Seq) else ()
    out = value
    for key, item in entries:
        if type(item) is str or item is None or type(item) is int or type(item) is bool:
            continue
        new = _without_dates(item, fault, (*path, key))
        if new is not item:
            if new is DATE:
                new = str(item)
                if not any(str(p).startswith("x-") for p in (*path, key)):
                    fault("expected a text, found a date; put it in quotes", mark_of(value, (key,)), (*path, key))
            out = value.copy() if out is value else out
            out[key] = new
    return out


DATE = object()
