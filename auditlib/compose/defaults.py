"""Values that Compose fills in, and what it checks beyond the schema, on the long form of all files together.

Follows compose-go's `transform/defaults.go` and `validation` package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError
from auditlib.compose.floats import sprint
from auditlib.compose.ports import is_ip
from auditlib.compose.rules import Rewrite, Rules
from auditlib.compose.tree import Map, Mark

Fault = Callable[[str, Mark, Path], None]


def set_defaults(project: Map, fault: Fault) -> Map:
    """The project with the values filled in that Compose takes for granted."""
    return Rewrite(_DEFAULTS, fault).run(project)


def check(project: Map, fault: Fault) -> Map:
    """The project without what contradicts itself; each contradiction is reported."""
    return Rewrite(_CHECKS, fault).run(project)


def _filled(**values: Any) -> Callable[[Any, Mark, Path], Any]:
    def act(value: Any, mark: Mark, _path: Path) -> Any:
        missing = [k for k in values if k not in value] if isinstance(value, Map) else []
        if missing:
            value = value.copy()
            for key in missing:
                value.put(key, values[key], mark)
        return value

    return act


def _secret(value: Any, mark: Mark, _path: Path) -> Any:
    if not isinstance(value, Map):
        raise RefusedError("expected a name or a mapping")
    if "target" not in value:
        value = value.copy()
        value.put("target", f"/run/secrets/{sprint(value.get('source'))}", value.marks.get("source", mark))
    return value


def _device_count(value: Any, mark: Mark, _path: Path) -> Any:
    if not isinstance(value, Map):
        raise RefusedError("expected a mapping")
    if "count" not in value and "device_ids" not in value:
        value = value.copy()
        value.put("count", "all", mark)
    return value


_DEFAULTS = Rules(
    {
        "services.*.build": _filled(context="."),
        "services.*.secrets.*": _secret,
        "services.*.ports.*": _filled(protocol="tcp", mode="ingress"),
        "services.*.deploy.resources.reservations.devices.*": _device_count,
        "services.*.gpus.*": _device_count,
    }
)


def _volume(value: Any, _mark: Mark, _path: Path) -> Any:
    if value is None:
        return value
    if not isinstance(value, Map):
        raise RefusedError("expected a mapping")
    if value.get("external") is True:
        for key in value:
            if key not in ("name", "external") and not key.startswith("x-"):
                raise RefusedError(f"an external volume cannot have {key!r}")
    return value


def _content(*keys: str) -> Callable[[Any, Mark, Path], Any]:
    def act(value: Any, _mark: Mark, _path: Path) -> Any:
        if not isinstance(value, Map):
            raise RefusedError("expected a mapping")
        found = [key for key in keys if key in value]
        if len(found) > 1:
            raise RefusedError(f"{' and '.join(found)} exclude each other")
        if not found and "driver" not in value and "external" not in value:
            raise RefusedError(f"expected one of {', '.join(keys)}")
        return value

    return act


def _watched(value: Any, _mark: Mark, _path: Path) -> Any:
    if value == "":
        raise RefusedError("expected a path, found nothing")
    return value


def _device(value: Any, _mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map) and "count" in value and "device_ids" in value:
        raise RefusedError("count and device_ids exclude each other")
    return value


def _address(value: Any, _mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map) and "host_ip" in value and not is_ip(str(value["host_ip"])):
        raise RefusedError(f"host_ip: expected an IP address, found {value['host_ip']!r}")
    return value


_CHECKS = Rules(
    {
        "volumes.*": _volume,
        "configs.*": _content("file", "environment", "content"),
        "secrets.*": _content("file", "environment"),
        "services.*.ports.*": _address,
        "services.*.develop.watch.*.path": _watched,
        "services.*.deploy.resources.reservations.devices.*": _device,
        "services.*.gpus.*": _device,
    }
)
