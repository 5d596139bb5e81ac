"""Whether the parts of a decoded project fit together: what a service refers to exists, nothing contradicts itself.

Follows compose-go's `loader/validate.go` and `graph`, and the check for container names of `docker compose config`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from auditlib.compose.errors import Path
from auditlib.compose.floats import float32
from auditlib.compose.tree import Map, Mark, Seq, at

Fault = Callable[[str, Mark, Path, str], None]
_Found = tuple[Path, str, str]
"""Where in the service, what is wrong, and the kind of fault."""


def check_consistency(project: Map, disabled: Map, fault: Fault) -> None:
    """Report everything that does not fit together in the enabled services."""
    services = project.get("services") or Map()
    for name, service in services.items():
        for path, reason, kind in _service_faults(name, service, project, disabled):
            fault(reason, _mark(service, path) or services.marks.get(name), ("services", name, *path), kind)
    secrets = project.get("secrets") or Map()
    for name, secret in secrets.items():
        if not secret.get("external") and not secret.get("file") and not secret.get("environment"):
            fault("expected file or environment", secrets.marks.get(name), ("secrets", name), "invalid")
    _check_cycles(services, fault)
    _check_container_names(services, fault)


def _mark(value: Any, path: Path) -> Mark:
    mark: Mark = None
    for part in path:
        if isinstance(value, Map) and part in value:
            mark, value = value.marks.get(str(part)) or mark, value[str(part)]
        elif isinstance(value, Seq) and isinstance(part, int) and part < len(value):
            mark, value = value.marks[part] or mark, value[part]
        else:
            break
    return mark if at(mark) is not None else None


def _service_faults(name: str, service: Map, project: Map, disabled: Map) -> Iterator[_Found]:
    yield from _origin(service, project)
    yield from _networks(service, project)
    test = service.get("healthcheck", {}).get("test")
    if test and test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        yield ("healthcheck", "test"), "expected CMD, CMD-SHELL or NONE first", "invalid"
    yield from _dependencies(service, project, disabled)
    yield from _references(service, project)
    yield from _limits(service)
    yield from _scale(service)
    for index, watch in enumerate(service.get("develop", {}).get("watch", ())):
        if not watch.get("target") and watch.get("action") not in ("rebuild", "restart"):
            yield ("develop", "watch", index), f"expected a target for action {watch.get('action')}", "invalid"
    yield from _mounts(service)


def _origin(service: Map, project: Map) -> Iterator[_Found]:
    build = service.get("build")
    if build is None and not service.get("image") and service.get("provider") is None:
        yield (), "expected an image or a build", "no-image"
    if build is None:
        return
    if build.get("dockerfile_inline") and build.get("dockerfile"):
        yield ("build", "dockerfile_inline"), "dockerfile and dockerfile_inline exclude each other", "invalid"
    for key, context in build.get("additional_contexts", {}).items():
        if context.startswith("service:"):
            target = project["services"].get(context.removeprefix("service:"))
            if target is None or target.get("build") is None:
                why = "is not defined" if target is None else "has no build"
                yield ("build", "additional_contexts", key), f"{context} {why}", "undefined-service"
    platforms = build.get("platforms")
    if platforms and service.get("platform") and service["platform"] not in platforms:
        yield ("build", "platforms"), f"expected {service['platform']} among them, the service's platform", "invalid"


def _networks(service: Map, project: Map) -> Iterator[_Found]:
    if service.get("network_mode") and service.get("networks"):
        yield ("network_mode",), "network_mode and networks exclude each other", "invalid"
    for network in service.get("networks", ()):
        if network not in (project.get("networks") or ()):
            yield ("networks", network), f"network {network} is not defined", "undefined-network"


def _dependencies(service: Map, project: Map, disabled: Map) -> Iterator[_Found]:
    services = project.get("services") or {}
    for name, dependency in service.get("depends_on", {}).items():
        if name in services or (name in disabled and not dependency.get("required")):
            continue
        if name in disabled:
            profiles = ", ".join(disabled[name].get("profiles", ()))
            yield ("depends_on", name), f"service {name} is only enabled by the profiles {profiles}", "disabled-service"
        else:
            yield ("depends_on", name), f"service {name} is not defined", "undefined-service"
    mode = service.get("network_mode", "")
    if mode.startswith("service:") and mode.removeprefix("service:") not in services:
        yield (
            ("network_mode",),
            f"service {mode.removeprefix('service:')} is not defined or not enabled",
            "undefined-service",
        )


def _references(service: Map, project: Map) -> Iterator[_Found]:
    for index, volume in enumerate(service.get("volumes", ())):
        source = volume.get("source")
        if volume.get("type") == "volume" and source and source not in (project.get("volumes") or ()):
            yield ("volumes", index, "source"), f"volume {source} is not defined", "undefined-volume"
    for place in (("build", "secrets"), ("secrets",), ("configs",)):
        holder = service if len(place) == 1 else service.get("build", {})
        section = place[-1]
        for index, reference in enumerate(holder.get(section, ())):
            if reference.get("source", "") not in (project.get(section) or ()):
                singular = section.removesuffix("s")
                yield (*place, index), f"{singular} {reference.get('source')} is not defined", f"undefined-{singular}"
    for model in service.get("models", ()):
        if model not in (project.get("models") or ()):
            yield ("models", model), f"model {model} is not defined", "undefined-model"


def _limits(service: Map) -> Iterator[_Found]:
    """A limit that is given twice must be the same; an absent one in `deploy` counts as zero."""
    resources = service.get("deploy", {}).get("resources", {})
    for key, group, twin in (
        ("cpus", "limits", "cpus"), ("mem_limit", "limits", "memory"),
        ("mem_reservation", "reservations", "memory"), ("pids_limit", "limits", "pids"),
    ):  # fmt: skip
        if key in service and group in resources and float32(resources[group].get(twin, 0)) != float32(service[key]):
            yield (key,), f"differs from deploy.resources.{group}.{twin}", "conflict"


def _scale(service: Map) -> Iterator[_Found]:
    scale, deploy = service.get("scale"), service.get("deploy")
    replicas = deploy.get("replicas") if deploy is not None else None
    if scale is not None and replicas is not None and scale != replicas:
        yield ("scale",), "differs from deploy.replicas", "conflict"
    if scale is not None and scale < 0:
        yield ("scale",), "expected 0 or more", "invalid"
    if scale is None and replicas is not None and replicas < 0:
        yield ("deploy", "replicas"), "expected 0 or more", "invalid"
    count = scale if scale is not None else replicas
    if count is not None and count > 1 and service.get("container_name"):
        yield ("container_name",), f"cannot name the container of a service with {count} replicas", "named-copies"


def _mounts(service: Map) -> Iterator[_Found]:
    seen: dict[str, Path] = {}
    targets: list[tuple[Path, str]] = [
        (("tmpfs", i), t.partition(":")[0]) for i, t in enumerate(service.get("tmpfs", ()))
    ]
    targets += [(("volumes", i), v.get("target", "")) for i, v in enumerate(service.get("volumes", ()))]
    for path, target in targets:
        if target in seen:
            yield path, f"{target} is already mounted by {seen[target][0]}[{seen[target][1]}]", "conflict"
        seen.setdefault(target, path)


def _check_cycles(services: Map, fault: Fault) -> None:
    """Depth-first without recursion; each cycle is reported once."""
    state: dict[str, int] = {}
    for start in sorted(services):
        if start in state:
            continue
        trail: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(services[start].get("depends_on", ()))))]
        state[start] = 1
        trail.append(start)
        while stack:
            name, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
                trail.pop()
                state[name] = 2
            elif state.get(child) == 1:
                cycle = " -> ".join([*trail[trail.index(child) :], child])
                path: Path = ("services", name, "depends_on", child)
                fault(f"services depend on each other: {cycle}", _mark(services[name], path[2:]), path, "cycle")
            elif child in services and child not in state:
                state[child] = 1
                trail.append(child)
                stack.append((child, iter(sorted(services[child].get("depends_on", ())))))


def _check_container_names(services: Map, fault: Fault) -> None:
    taken: dict[str, str] = {}
    for name, service in services.items():
        container = service.get("container_name")
        if container and container in taken:
            path: Path = ("services", name, "container_name")
            fault(
                f"{container!r} is already the name of service {taken[container]}",
                service.marks.get("container_name"),
                path,
                "conflict",
            )
        elif container:
            taken[container] = name
