"""What a project means without saying so: the default network, dependencies through links, names made of keys.

Follows compose-go's `loader/normalize.go` and `loader/environment.go`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlib.compose.decode import SECRET_VALUE
from auditlib.compose.gopath import clean
from auditlib.compose.template import Lookup
from auditlib.compose.tree import Map, Mark, Seq

Found = Callable[[str], Mark]
"""Where a variable of the environment was set, if in a file."""


def resolve_environment(project: Map, lookup: Lookup) -> Map:
    """Bare names in lists of variables, and secrets and configs from the environment, with their values."""
    out = project.copy()
    for name, service in _entries(project, "services"):
        if isinstance(service.get("environment"), Seq):
            changed = service.copy()
            changed["environment"] = _named_values(service["environment"], lookup)
            out["services"] = out["services"].copy() if out["services"] is project["services"] else out["services"]
            out["services"][name] = changed
    for section, key in (("secrets", SECRET_VALUE), ("configs", "content")):
        for name, entry in _entries(project, section):
            value = lookup(entry["environment"]) if isinstance(entry.get("environment"), str) else None
            if value is not None:
                changed = entry.copy()
                changed.put(key, value, entry.marks.get("environment"))
                out[section] = out[section].copy() if out[section] is project[section] else out[section]
                out[section][name] = changed
    return out


def _named_values(names: Seq, lookup: Lookup) -> Seq:
    out = Seq()
    for item, mark in names.entries():
        if isinstance(item, str):
            value = lookup(item)
            out.add(item if value is None else f"{item}={value}", mark)
    return out


def _entries(project: Map, section: str) -> list[tuple[str, Map]]:
    entries = project.get(section)
    return [(k, v) for k, v in entries.items() if isinstance(v, Map)] if isinstance(entries, Map) else []


def normalize(project: Map, name: str, lookup: Lookup) -> Map:
    """The project with everything implicit written out."""
    out = project.copy()
    out.put("name", name, project.marks.get("name"))
    services, default_used = Map(), False
    for key, service in _entries(project, "services"):
        changed = service.copy()
        default_used |= _join_networks(changed)
        _service(changed, lookup)
        services.put(key, changed, project["services"].marks.get(key))
    if "services" in project:
        out["services"] = services
    networks = project.get("networks")
    if default_used and not (isinstance(networks, Map) and "default" in networks):
        out["networks"] = networks.copy() if isinstance(networks, Map) else Map()
        out["networks"].put("default", None, None)
        out.marks.setdefault("networks", None)
    for section in ("networks", "volumes", "configs", "secrets"):
        if isinstance(out.get(section), Map):
            out[section] = _name_entries(out[section], name)
    return out


def _join_networks(service: Map) -> bool:
    """Join the default network where nothing else is said; true if the service uses it."""
    if "provider" in service or "network_mode" in service:
        return False
    networks = service.get("networks")
    if not networks:
        service.put("networks", Map({"default": None}), service.marks.get("networks"))
        return True
    return "default" in networks


def _service(service: Map, lookup: Lookup) -> None:
    if service.get("pull_policy") == "if_not_present":
        service["pull_policy"] = "missing"
    if isinstance(service.get("build"), Map):
        service["build"] = _build(service["build"], service.marks.get("build"), lookup)
    if "environment" in service:
        service["environment"] = resolve(service["environment"], lookup, keep_empty=True)
    if isinstance(service.get("volumes"), Seq):
        service["volumes"] = _clean_targets(service["volumes"])
    depends = _dependencies(service)
    if depends:
        service.put("depends_on", depends, service.marks.get("depends_on"))


def _build(build: Map, mark: Mark, lookup: Lookup) -> Map:
    out = build.copy()
    if out.get("context") is None:
        out.put("context", ".", mark)
    if out.get("dockerfile") is None and out.get("dockerfile_inline") is None:
        out.put("dockerfile", "Dockerfile", None)
    if "args" in out:
        out["args"] = resolve(out["args"], lookup, keep_empty=False)
    return out


def resolve(value: Any, lookup: Lookup, *, keep_empty: bool) -> Any:
    """Variables without a value get theirs from the environment; without one there they stay or go."""
    if isinstance(value, Map):
        out = Map()
        for key, item in value.items():
            found = lookup(key) if item is None else item
            if found is not None or keep_empty:
                out.put(key, found, value.marks.get(key))
        return out
    if isinstance(value, Seq):
        items = Seq()
        for item, mark in value.entries():
            if isinstance(item, str) and "=" not in item:
                found = lookup(item)
                if found is not None or keep_empty:
                    items.add(item if found is None else f"{item}={found}", mark)
            elif isinstance(item, str):
                items.add(item, mark)
        return items
    return value


def _clean_targets(volumes: Seq) -> Seq:
    out = Seq()
    for volume, mark in volumes.entries():
        target = volume.get("target") if isinstance(volume, Map) else None
        if isinstance(target, str) and clean(target) != target:
            cleaned = volume.copy()
            cleaned["target"] = clean(target)
            out.add(cleaned, mark)
        else:
            out.add(volume, mark)
    return out


def _dependencies(service: Map) -> Map:
    declared = service.get("depends_on")
    out = declared.copy() if isinstance(declared, Map) else Map()

    def depend(on: str, restart: bool, mark: Mark) -> None:
        if on not in out:
            out.put(on, Map.all_at(mark, {"condition": "service_started", "restart": restart, "required": True}), mark)

    for link, mark in _texts(service, "links"):
        parts = link.split(":")
        depend(parts[0] if len(parts) == 2 else link, True, mark)
    for namespace in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        shared = service.get(namespace)
        if isinstance(shared, str) and shared.startswith("service:"):
            depend(shared.removeprefix("service:"), True, service.marks.get(namespace))
    for source, mark in _texts(service, "volumes_from"):
        if not source.startswith("container:"):
            depend(source.split(":")[0], False, mark)
    return out


def _texts(service: Map, key: str) -> list[tuple[str, Mark]]:
    items = service.get(key)
    return [(i, m) for i, m in items.entries() if isinstance(i, str)] if isinstance(items, Seq) else []


def _name_entries(section: Map, project: str) -> Map:
    """A resource without a name is named after the project and its key; an external one just by its key."""
    out = section.copy()
    for key, entry in section.items():
        if entry is None or (isinstance(entry, Map) and entry.get("name") is None):
            named = entry.copy() if isinstance(entry, Map) else Map()
            external = named.get("external") is True
            named.put("name", key if external else f"{project}_{key}", section.marks.get(key))
            out[key] = named
    return out
