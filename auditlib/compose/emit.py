"""A decoded project as plain dictionaries, lists and scalars, as Compose writes it in JSON and in YAML.

Follows the `MarshalJSON` and `MarshalYAML` methods of compose-go's `types` package, and `docker compose config`, which
doubles every `$` so that its output can be read again.
"""

from __future__ import annotations

import math
from typing import Any

from auditlib.compose.decode import EXTENSIONS, Object
from auditlib.compose.floats import json_text
from auditlib.compose.shapes import FILE_OBJECT, One, Ulimits
from auditlib.compose.tree import Map
from auditlib.compose.units import duration_text
from auditlib.compose.values import Bytes, Duration, Mode, Single
from auditlib.compose.yaml_scalars import Timestamp
from auditlib.compose.yaml_writer import ordered

_JSON_ORDER = ("configs", "name", "networks", "secrets", "services", "volumes")
_YAML_ORDER = ("name", "services", "networks", "volumes", "secrets", "configs", "models")


def as_json(project: Map) -> dict[str, Any]:
    """What `docker compose config --format json` prints, parsed, before `$` is doubled."""
    out: dict[str, Any] = {}
    for section in _JSON_ORDER:
        if section == "name":
            out["name"] = project["name"]
        elif project.get(section) or section == "services":
            out[section] = {k: _json(_shown(section, v)) for k, v in (project.get(section) or {}).items()}
    out.update({k: _json(v) for k, v in project.get(EXTENSIONS, {}).items()})
    return dict(sorted(out.items()))


def as_yaml(project: Map) -> dict[str, Any]:
    """What `docker compose config` prints as YAML, parsed, before `$` is doubled; it also has extensions and models."""
    out: dict[str, Any] = {}
    for section in _YAML_ORDER:
        if section == "name":
            out["name"] = project["name"]
        elif project.get(section) or section == "services":
            out[section] = ordered({k: _yaml(_shown(section, v)) for k, v in (project.get(section) or {}).items()})
    out.update(ordered({k: _yaml(v) for k, v in project.get(EXTENSIONS, {}).items()}))
    return out


def _shown(section: str, entry: Any) -> Any:
    """A secret's content never leaves; a config's only when it was written in the file."""
    hidden = isinstance(entry, Object) and entry.shape is FILE_OBJECT and "content" in entry
    if hidden and (section == "secrets" or entry.get("environment")):
        entry = entry.copy()
        entry.drop("content")
    return entry


def _scalar(value: Any) -> Any:
    if isinstance(value, Bytes):
        return str(int(value))
    if isinstance(value, Duration):
        return duration_text(value)
    if isinstance(value, Mode):
        return f"0{int(value):o}"
    if isinstance(value, tuple):  # an SSH key and its path
        return value[0] if not value[1] else f"{value[0]}: {value[1]}"
    return value


def _json(value: Any) -> Any:
    if isinstance(value, Object):
        return _json_object(value)
    if isinstance(value, dict):
        return {k: _json(value[k]) for k in sorted(value)}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        text = json_text(value, single=isinstance(value, Single))
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return str(value) if isinstance(value, Timestamp) else _scalar(value)


def _json_object(value: Object) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, kind in value.shape.fields.items():
        name = key.title() if value.shape.titled else key
        if key in value:
            out[name] = _limits(value[key], "json") if isinstance(kind, Ulimits) else _json(value[key])
        elif key in value.shape.always:
            out[name] = _zero(key)
        elif isinstance(kind, One) and not kind.optional:
            out[name] = _json_object(Object(kind.shape))
    return out


def _zero(key: str) -> Any:
    if key in ("command", "entrypoint"):
        return None
    if key == "required":
        return False
    return "0" if key == "rate" else 0 if key in ("weight", "value") else ""


def _limits(limits: Map, flavour: str) -> dict[str, Any]:
    """Limits by name: the number, or the two; YAML always shows both."""
    out: dict[str, Any] = {}
    for name in sorted(limits):
        limit = limits[name]
        if limit is None or (not isinstance(limit, Map) and limit != 0):
            out[name] = limit
            continue
        pair = limit if isinstance(limit, Map) else {}
        out[name] = {k: pair.get(k, 0) for k in ("soft", "hard") if flavour == "yaml" or pair.get(k)}
    return out


def _yaml(value: Any) -> Any:
    if isinstance(value, Object):
        return _yaml_object(value)
    if isinstance(value, dict):
        return ordered({k: _yaml(v) for k, v in value.items()})
    if isinstance(value, list):
        return [_yaml(item) for item in value]
    return _scalar(value)


def _yaml_object(value: Object) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, kind in value.shape.fields.items():
        if key in value:
            if isinstance(kind, One) and not kind.optional and not value[key]:
                continue
            out[key] = _limits(value[key], "yaml") if isinstance(kind, Ulimits) else _yaml(value[key])
        elif key in value.shape.always and key not in ("command", "entrypoint"):
            out[key] = _zero(key)
    out.update(ordered({k: _yaml(v) for k, v in value.get(EXTENSIONS, {}).items()}))
    return out


def has_infinite(value: Any) -> bool:
    """Whether there is a number somewhere that JSON has no form for."""
    if isinstance(value, dict):
        return any(has_infinite(item) for item in value.values())
    if isinstance(value, list):
        return any(has_infinite(item) for item in value)
    return isinstance(value, float) and not math.isfinite(value)


def escape_dollars(value: Any) -> Any:
    """Every `$` doubled, in keys too."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {k.replace("$", "$$"): escape_dollars(v) for k, v in value.items()}
    if isinstance(value, list):
        return [escape_dollars(item) for item in value]
    return value
