"""Every short syntax spelled out, so that the later stages know one form only.

Follows compose-go's `transform` package and `omitEmpty`. The parts of a short syntax all carry its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.errors import Path, RefusedError, UnparsedError
from auditlib.compose.floats import sprint
from auditlib.compose.gopath import clean
from auditlib.compose.port_floods import without_port_floods
from auditlib.compose.ports import parse_ports
from auditlib.compose.rules import Rewrite, Rules
from auditlib.compose.tree import Map, Mark, Seq
from auditlib.compose.volumes import parse_volume

Fault = Callable[[str, Mark, Path], None]


def canonical(project: Map, fault: Fault, *, lenient: bool = False) -> Map:
    """The project in long syntax. `lenient` leaves what cannot be read, for a project that was not interpolated."""
    return Rewrite(_LENIENT if lenient else _STRICT, fault).run(without_port_floods(project, fault))


def _build(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if isinstance(value, str):
        return Map.all_at(mark, {"context": value})
    raise RefusedError("expected a path or a mapping")


def _extends(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if isinstance(value, str):
        return Map.all_at(mark, {"service": value})
    raise RefusedError("expected a service's name or a mapping")


def _text(value: Any, _mark: Mark, _path: Path) -> Any:
    return value if isinstance(value, str) else sprint(value)


def _key_values(value: Any, _mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if not isinstance(value, Seq):
        raise RefusedError("expected a mapping or a list of key=value")
    out = Map()
    for item, mark in value.entries():
        key, equals, rest = str(item).partition("=")
        if not equals:
            raise UnparsedError(f"expected key=value, found {item!r}")
        out.put(key, rest, mark)
    return out


def _depends_on(value: Any, _mark: Mark, _path: Path) -> Any:
    default = {"condition": "service_started", "required": True}
    out = Map()
    if isinstance(value, Seq):
        for name, mark in value.entries():
            out.put(str(name), Map.all_at(mark, default), mark)
        return out
    if not isinstance(value, Map):
        raise RefusedError("expected a list or a mapping of services")
    for name, entry in value.items():
        mark = value.marks.get(name)
        if not isinstance(entry, Map):
            raise RefusedError(f"{name}: expected a mapping")
        out.put(name, _filled(entry, default, mark), mark)
    return out


def _filled(entry: Map, default: dict[str, Any], mark: Mark) -> Map:
    """A mapping with what it lacks of a default."""
    missing = {key: filler for key, filler in default.items() if key not in entry}
    out = entry.copy() if missing else entry
    for key, filler in missing.items():
        out.put(key, filler, mark)
    return out


def _env_file(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, str):
        value = Seq([value], [mark])
    if not isinstance(value, Seq):
        raise RefusedError("expected a path or a list of paths")
    out = Seq()
    for item, here in value.entries():
        if isinstance(item, Map):
            out.add(_filled(item, {"required": True}, here), here)
        else:
            out.add(Map.all_at(here, {"path": item, "required": True}) if isinstance(item, str) else None, here)
    return out


def _list(value: Any, mark: Mark, _path: Path) -> Any:
    return Seq([value], [mark]) if isinstance(value, str) else value


def _dns(value: Any, mark: Mark, path: Path) -> Any:
    """`dns` as a list without blanks, which is what an unset variable leaves."""
    out = _list(value, mark, path)
    if isinstance(out, Seq) and any(item in (None, "") for item in out):
        kept = [(i, m) for i, m in out.entries() if i not in (None, "")]
        return Seq([i for i, _ in kept], [m for _, m in kept])
    return out


def _gpus(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Seq):
        return value
    if isinstance(value, str):
        return Seq([Map.all_at(mark, {"count": "all"})], [mark])
    raise RefusedError("expected `all` or a list of devices")


def _names(value: Any, _mark: Mark, _path: Path) -> Any:
    if not isinstance(value, Seq):
        return value
    return Map({str(n): None for n in value}, {str(n): m for n, m in value.entries()})


def _volume(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if not isinstance(value, str):
        raise RefusedError("expected a volume as text or a mapping")
    volume = parse_volume(value)
    volume["target"] = clean(volume["target"])
    return _deep(volume, mark)


def _deep(values: dict[str, Any], mark: Mark) -> Map:
    return Map.all_at(mark, {k: _deep(v, mark) if isinstance(v, dict) else v for k, v in values.items()})


def _device(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if not isinstance(value, str):
        raise RefusedError("expected a device as text or a mapping")
    parts = value.split(":")
    if len(parts) > 3:
        raise UnparsedError(f"confusing device {value!r}; use the long syntax")
    source, target, permissions = (*parts, *("", "rwm")[len(parts) - 1 :])[:3] if len(parts) < 3 else parts
    return Map.all_at(mark, {"source": source, "target": target or source, "permissions": permissions})


def _device_or_blank(value: Any, mark: Mark, path: Path) -> Any:
    try:
        return _device(value, mark, path)
    except UnparsedError:
        return Map.all_at(mark, {"source": "", "target": "", "permissions": "rwm"})


def _file_mount(value: Any, mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if isinstance(value, str):
        return Map.all_at(mark, {"source": value})
    raise RefusedError("expected a name or a mapping")


def _ports(value: Any, _mark: Mark, _path: Path) -> Any:
    if not isinstance(value, Seq):
        raise RefusedError("expected a list of ports")
    out = Seq()
    for item, mark in value.entries():
        if isinstance(item, Map):
            out.add(item, mark)
        elif isinstance(item, str | int) and not isinstance(item, bool):
            for port in parse_ports(str(item)):
                out.add(Map.all_at(mark, port), mark)
        else:
            raise RefusedError(f"expected a port as text, number or mapping, found {sprint(item)}")
    return out


def _ssh(value: Any, _mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map):
        return value
    if not isinstance(value, Seq):
        raise RefusedError("expected a list or a mapping of SSH keys")
    out = Map()
    for item, mark in value.entries():
        if not isinstance(item, str):
            raise RefusedError(f"expected an SSH key, found {sprint(item)}")
        name, equals, path = item.partition("=")
        if not equals and name != "default":
            raise RefusedError(f"expected `default` or id=path, found {item!r}")
        out.put(name, path if equals else None, mark)
    return out


def _ulimit(value: Any, _mark: Mark, _path: Path) -> Any:
    if isinstance(value, Map) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise RefusedError("expected a whole number or a mapping")


def _external(value: Any, _mark: Mark, _path: Path) -> Any:
    """`external: {name: …}` of old files as `external: true` with a name."""
    if value is None or not isinstance(value, Map) or not isinstance(value.get("external"), Map):
        return value
    external = value["external"]
    out = value.copy()
    out["external"] = True
    if "name" in external:
        if "name" in value and value["name"] != external["name"]:
            raise RefusedError("name and external.name conflict; keep name only")
        out.put("name", external["name"], external.marks.get("name"))
    return out


def _lenient(act: Callable[[Any, Mark, Path], Any]) -> Callable[[Any, Mark, Path], Any]:
    def tried(value: Any, mark: Mark, path: Path) -> Any:
        try:
            return act(value, mark, path)
        except UnparsedError:
            return value

    return tried


_TABLE: dict[str, Callable[[Any, Mark, Path], Any]] = {
    "services.*.build": _build,
    "services.*.build.secrets.*": _file_mount,
    "services.*.build.provenance": _text,
    "services.*.build.sbom": _text,
    "services.*.build.additional_contexts": _key_values,
    "services.*.build.ssh": _ssh,
    "services.*.build.ulimits.*": _ulimit,
    "services.*.depends_on": _depends_on,
    "services.*.env_file": _env_file,
    "services.*.label_file": _list,
    "services.*.extends": _extends,
    "services.*.gpus": _gpus,
    "services.*.networks": _names,
    "services.*.models": _names,
    "services.*.volumes.*": _volume,
    "services.*.dns": _dns,
    "services.*.devices.*": _device,
    "services.*.secrets.*": _file_mount,
    "services.*.configs.*": _file_mount,
    "services.*.ports": _ports,
    "services.*.ulimits.*": _ulimit,
    "services.*.develop.watch.*.ignore": _list,
    "services.*.develop.watch.*.include": _list,
    **dict.fromkeys(("volumes.*", "networks.*", "secrets.*", "configs.*"), _external),
}
_STRICT = Rules(_TABLE)
_LENIENT = Rules(
    {**{pattern: _lenient(act) for pattern, act in _TABLE.items()}, "services.*.devices.*": _device_or_blank}
)
