"""Which services a set of profiles enables, and which resources those need.

Follows `WithProfiles` and `WithoutUnnecessaryResources` of compose-go's `types/project.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditlib.compose.tree import Map


def by_profile(services: Map, profiles: Sequence[str]) -> tuple[Map, Map]:
    """The services that the profiles enable, and the others. `*` enables all."""
    enabled, disabled = Map(), Map()
    for name, service in services.items():
        own = service.get("profiles", ())
        chosen = not own or any(p == "*" or p in own for p in profiles)
        (enabled if chosen else disabled).put(name, service, services.marks.get(name))
    return enabled, disabled


def needed(project: Map) -> Map:
    """The project without networks, volumes, secrets, configs and models that no service uses."""
    used: dict[str, set[str]] = {k: set() for k in ("networks", "volumes", "secrets", "configs", "models")}
    for service in (project.get("services") or {}).values():
        used["networks"].update(service.get("networks", ()))
        used["models"].update(service.get("models", ()))
        used["volumes"].update(v.get("source", "") for v in service.get("volumes", ()) if v.get("type") == "volume")
        used["configs"].update(c.get("source", "") for c in service.get("configs", ()))
        for holder in (service, service.get("build", {})):
            used["secrets"].update(s.get("source", "") for s in holder.get("secrets", ()))
    out = project.copy()
    for section, names in used.items():
        entries = project.get(section)
        if entries:
            kept = {k: v for k, v in entries.items() if k in names}
            out[section] = Map(kept, {k: entries.marks.get(k) for k in kept})
    return out
