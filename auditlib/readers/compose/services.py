"""The services of a project, and what else it declares, as records."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import EnvFileReference, FileObject, Network, Service, Volume
from auditlib.model import Location
from auditlib.readers.compose import environment, parts
from auditlib.readers.compose.environment import Interpolations
from auditlib.readers.compose.view import View, strings
from auditlib.readers.endpoints import endpoints

References = Mapping[str, tuple[EnvFileReference, ...]]


def services(view: View, uses: Interpolations, env_files: References) -> Iterator[Service]:
    """A record for each service, in the order of the files."""
    found = [(view.nearest("services", name), name, config) for name, config in view.section("services").items()]
    order = {file: position for position, file in enumerate(view.project.files)}
    for place, name, config in sorted(found, key=lambda item: (order.get(item[0].file, len(order)), item[:2])):
        yield _service(view, name, config, place, uses, env_files.get(name, ()))


def _service(
    view: View, name: str, config: dict[str, Any], place: Location, uses: Interpolations,
    env_files: tuple[EnvFileReference, ...],
) -> Service:  # fmt: skip
    where = ("services", name)
    return Service(
        project=view.name,
        name=name,
        image=view.masked(config.get("image")),
        location=place,
        image_location=view.place(*where, "image") or view.place(*where, "build") or place,
        build=parts.build(view, name, config),
        profiles=strings(config.get("profiles")),
        profiles_location=view.place(*where, "profiles"),
        ports=tuple(parts.ports(view, name, config)),
        expose=strings(config.get("expose")),
        mounts=tuple(parts.mounts(view, name, config)),
        dependencies=tuple(parts.dependencies(view, name, config)),
        environment=tuple(environment.entries(view, name, config, uses)),
        env_files=env_files,
        networks=tuple(parts.networks(view, name, config)),
        healthcheck=parts.healthcheck(view, name, config),
        keeps_image_check=parts.keeps_image_check(config),
        labels=tuple(parts.labels(view, name, config)),
        placed=bool((config.get("deploy") or {}).get("placement")),
        devices=tuple(parts.devices(view, config)),
        device_rules=tuple(view.text(item) for item in config.get("device_cgroup_rules") or ()),
        secrets=_sources(config.get("secrets")),
        secret_files=_files(config.get("secrets")),
        configs=_sources(config.get("configs")),
        extra_hosts=parts.extra_hosts(config),
        container_name=str(config.get("container_name") or ""),
        container_name_location=view.place(*where, "container_name"),
        **_command(view, name, config),
        **_limits(view, name, config),
        **_runtime(view, config),
    )


def as_in_swarm(view: View, service: Service) -> Service:
    """A service as Swarm takes it, which passes over much of what Compose knows.

    Labels of the service itself are those of its containers; what reads Swarm's services sees those of `deploy`.
    """
    own = (item for item in service.labels if not item.name.startswith("traefik."))
    config = view.section("services").get(service.name, {})
    deployed = parts.labels(view, service.name, config.get("deploy") or {}, "deploy")
    return replace(
        service, dependencies=(), container_name="", container_name_location=None, restart="", profiles=(),
        profiles_location=None, labels=(*deployed, *own),
    )  # fmt: skip


def _command(view: View, name: str, config: dict[str, Any]) -> dict[str, Any]:
    command, entrypoint = config.get("command") or [], config.get("entrypoint") or []
    words = [view.text(word) for word in (*entrypoint, *command)]
    found = [end for word in words for end in endpoints("", word)]
    places = [view.place("services", name, key) for key in ("command", "entrypoint")]
    where = places[0] or places[1]
    executed = view.commands(words, where, *places) if where else ()
    return {
        "command": view.words(command, places[0]),
        "entrypoint": view.words(entrypoint, places[1]),
        "clears_entrypoint": config.get("entrypoint") == [],
        "command_location": where,
        "commands": _moved(executed, _start_of_script(view, name, config)),
        "command_endpoints": tuple(dict.fromkeys(found)),
    }


def _start_of_script(view: View, name: str, config: dict[str, Any]) -> Location | None:
    """Where a script of several lines begins: as an item of a list, or below the `|` that says it goes on there."""
    for key in ("command", "entrypoint"):
        for index, word in enumerate(config.get(key) or ()):
            if "\n" in str(word).rstrip():
                place = view.nearest("services", name, key, index)
                return replace(place, line=place.line + 1) if view.begins_block(place) else place
    return None


def _moved(found: tuple[Command, ...], start: Location | None) -> tuple[Command, ...]:
    """Commands of a script at the lines where they stand; the first is the whole, at its key."""
    if len(found) < 2 or start is None:
        return found
    whole, *others = found
    return whole, *(replace(item, location=_below(item.location, start.line - whole.location.line)) for item in others)


def _below(place: Location, lines: int) -> Location:
    return replace(place, line=place.line + lines, end_line=place.last_line + lines)


def _limits(view: View, name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Limits and copies, whether they stand under `deploy` or, as before, beside it."""
    deploy = config.get("deploy") or {}
    limits = (deploy.get("resources") or {}).get("limits") or {}
    replicas = deploy.get("replicas", config.get("scale"))
    logging = config.get("logging") or {}
    return {
        "restart_condition": str((deploy.get("restart_policy") or {}).get("condition") or ""),
        "replicas": int(replicas) if replicas is not None else None,
        "cpu_limit": str(limits.get("cpus") or config.get("cpus") or ""),
        "memory_limit": str(limits.get("memory") or config.get("mem_limit") or ""),
        "limited_by_old_key": not limits.get("memory") and bool(config.get("mem_limit")),
        "log_driver": str(logging.get("driver") or ""),
        "log_options": tuple(
            (key, view.value(key, value, view.place("services", name, "logging", "options", key)).text)
            for key, value in (logging.get("options") or {}).items()
        ),
    }


def _runtime(view: View, config: dict[str, Any]) -> dict[str, Any]:
    texts = (
        "network_mode", "restart", "hostname", "user", "stop_grace_period", "stop_signal", "platform", "working_dir",
    )  # fmt: skip
    switches = ("privileged", "read_only", "init")
    terminal = {"has_terminal": bool(config.get("tty") or config.get("stdin_open"))}
    return (
        {key: view.text(config.get(key)) for key in texts} | {key: bool(config.get(key)) for key in switches} | terminal
    )


def _sources(entries: list[dict[str, Any]] | None) -> tuple[str, ...]:
    return tuple(str(entry.get("source", "")) for entry in entries or ())


def _files(entries: list[dict[str, Any]] | None) -> tuple[str, ...]:
    """Where the container finds each secret."""
    targets = (str(entry.get("target") or entry.get("source", "")) for entry in entries or ())
    return tuple(posixpath.join("/run/secrets", target) for target in targets)


def resources(view: View) -> Iterator[Volume | Network | FileObject]:
    """Volumes, networks, secrets and configs, whether a service uses them or not."""
    for name, entry in view.section("volumes").items():
        place = view.nearest("volumes", name)
        made_up = f"{view.config.get('name')}_{name}"
        fixed = bool(view.place("name") or entry.get("external") or entry.get("name") != made_up)
        driver, external = str(entry.get("driver") or ""), bool(entry.get("external"))
        yield Volume(
            view.name, name, driver, external, place, fixed, _called(view, name, entry), bool(entry.get("driver_opts"))
        )
    for name, entry in view.section("networks").items():
        yield Network(
            view.name, name, str(entry.get("driver") or ""), bool(entry.get("external")), bool(entry.get("internal")),
            view.nearest("networks", name), _called(view, name, entry), tuple(_pools(entry)),
        )  # fmt: skip
    for section in ("secrets", "configs"):
        for name, entry in view.section(section).items():
            place = view.nearest(section, name)
            yield FileObject(view.name, section.removesuffix("s"), name, _origin(view, entry, place), place)


def _pools(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The subnets of a network, each with the range for addresses that nobody asks for, unless some are set aside."""
    for pool in (entry.get("ipam") or {}).get("config") or ():
        if pool.get("subnet") and not pool.get("aux_addresses"):
            yield str(pool["subnet"]), str(pool.get("ip_range") or "")


def _called(view: View, name: str, entry: dict[str, Any]) -> str:
    """The name that a file gives a network or volume; Compose puts the project's name before the others."""
    called = str(entry.get("name") or "")
    made_up = called == f"{view.project.name}_{name}" and not entry.get("external")
    return "" if made_up else view.text(called)


def _origin(view: View, entry: dict[str, Any], place: Location) -> str:
    if entry.get("external"):
        return "external"
    if entry.get("file"):
        return view.path(str(entry["file"]), place)[0]
    return str(entry.get("environment") or "inline")
