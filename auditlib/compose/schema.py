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
from auditlib.compose.places import mark_of, prune_all
from auditlib.compose.schema_words import reasons
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


@lru_cache(maxsize=1)
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
            for key, value in shared.items():
                merged = key in ("properties", "patternProperties")
                definition[key] = {**value, **definition.get(key, {})} if merged else definition.get(key, value)
        if parts:
            definition.pop("unevaluatedProperties", None)


@lru_cache(maxsize=1)
def _validator() -> jsonschema_rs.Validator:
    import jsonschema_rs

    return jsonschema_rs.validator_for(amended_schema())


def validate(project: Map, fault: Fault) -> Map:
    """The project without what the schema refuses; every refusal is reported with its place."""
    validator = _validator()
    for path in list(_dates(project)):
        if not any(str(part).startswith("x-") for part in path):
            fault("expected a text, found a date; put it in quotes", mark_of(project, path), path)
    plain = _without_dates(project)
    for _ in range(50):
        if validator.is_valid(plain):
            break
        found = [entry for error in validator.iter_errors(plain) for entry in reasons(error, known_keys)]
        for path, reason in found:
            fault(reason, mark_of(project, path), path)
        paths = [path for path, _ in found]
        same = plain is project
        project = prune_all(project, paths)
        plain = project if same else prune_all(plain, paths)
    return project


def known_keys(path: Path) -> list[str]:
    """The keys that the schema knows at a path, as far as it says so plainly."""
    schema = amended_schema()
    definitions = schema.get("$defs") or schema.get("definitions") or {}
    if not path:
        return list(schema["properties"])
    if path[0] == "services" and len(path) == 2:
        return list(definitions["service"]["properties"])
    return list(definitions.get(str(path[0]).removesuffix("s"), {}).get("properties", ())) if len(path) == 2 else []


def _dates(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of unquoted dates, which Compose reads as such and for which its schema knows no type."""
    entries: Any = value.items() if isinstance(value, Map) else enumerate(value) if isinstance(value, Seq) else ()
    for key, item in entries:
        if isinstance(item, Timestamp):
            yield (*path, key)
        elif isinstance(item, Map | Seq):
            yield from _dates(item, (*path, key))


def _without_dates(value: Any) -> Any:
    """The same with each date as a text, for the validator; nothing is copied where there is none."""
    if isinstance(value, Timestamp):
        return "".join(value)
    entries: Any = value.items() if isinstance(value, Map) else enumerate(value) if isinstance(value, Seq) else ()
    out = value
    for key, item in entries:
        if isinstance(item, Map | Seq | Timestamp):
            new = _without_dates(item)
            if new is not item:
                out = value.copy() if out is value else out
                out[key] = new
    return out
