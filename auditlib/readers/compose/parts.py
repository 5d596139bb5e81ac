"""The parts of a service: ports, mounts, dependencies, networks, health check, build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import join, normpath
from typing import Any

from auditlib.inventory.stack import Attachment, Build, Dependency, Healthcheck, Label, Mount, Port
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers.compose import raw
from auditlib.readers.compose.view import View, strings

Config = dict[str, Any]
_BOUND = regex(r"(?P<variable>\$\{\w+(?::?\?[^}]*)?\}):(?P<port>[\d-]+):[\d-]")
"""A published port with an address before it that a variable without a default holds."""
_BY_VARIABLE = regex(r"(?P<variable>\$\{\w{1,100}(?::?-[\d-]{0,12}|:?\?[^}]{0,200})?\}):(?P<target>[\d-]+)(?!\d*[:.])")
"""A published port whose number a variable holds."""
_DELIBERATE = regex(
    r"\bnot (?:service_)?healthy\b|\boptional\b|\bwithout\b|\bdeliberate|\bon purpose\b|\bintentional|"
    r"\bretr(?:y|ies)\b|\breconnects?\b|\bdegrad|\bfall(?:s|ing)?[ -]?back\b|\beven (?:if|when)\b|\bnot required\b|"
    r"(?:n't|\bnot) need\b",
    re.I,
)
"""What somebody says who lets a service start before another one is ready."""


def ports(view: View, name: str, config: Config) -> Iterator[Port]:
    """The ports that a service publishes."""
    for index, port in enumerate(config.get("ports") or ()):
        place = view.nearest("services", name, "ports", index)
        yield Port(
            str(port.get("target", "")),
            str(port.get("published") or ""),
            str(port.get("host_ip") or "") or _address(view, place, str(port.get("published") or "")),
            str(port.get("protocol") or "tcp"),
            place,
            _number(view, place, str(port.get("target", ""))),
        )


def _address(view: View, place: Location, published: str) -> str:
    """The variable that stands for the address of a port, where no file says its value."""
    found = _BOUND.finditer(_line(view, place))
    return next((match["variable"] for match in found if match["port"] == published), "")


def _number(view: View, place: Location, target: str) -> str:
    """The variable that stands for a port of the host, as it is written."""
    found = _BY_VARIABLE.finditer(_line(view, place))
    return next((match["variable"] for match in found if match["target"] == target), "")


def _line(view: View, place: Location) -> str:
    lines = view.source.lines(place.file)
    return lines[place.line - 1] if place.line <= len(lines) else ""


def mounts(view: View, name: str, config: Config) -> Iterator[Mount]:
    """What a service mounts, `tmpfs` included."""
    for index, mount in enumerate(config.get("volumes") or ()):
        place = view.nearest("services", name, "volumes", index)
        kind, origin = str(mount.get("type", "volume")), str(mount.get("source") or "")
        if kind == "volume" and origin.startswith("${"):  # no file tells its value: a path of the host, as a rule
            kind, (path, outside) = "bind", (origin, True)
        else:
            path, outside = view.path(origin, place) if kind == "bind" else (origin, False)
        yield Mount(kind, path, str(mount.get("target", "")), bool(mount.get("read_only")), place, outside)
    yield from _configs(view, name, config)
    for index, entry in enumerate(strings(config.get("tmpfs"))):
        yield Mount("tmpfs", "", entry.partition(":")[0], False, view.nearest("services", name, "tmpfs", index))


def _configs(view: View, name: str, config: Config) -> Iterator[Mount]:
    """The `configs` of a service whose files the project names, which Compose mounts as it does others."""
    declared = view.section("configs")
    for index, entry in enumerate(config.get("configs") or ()):
        source = str(entry.get("source") or "")
        file = (declared.get(source) or {}).get("file")
        if file:
            place = view.nearest("services", name, "configs", index)
            path, outside = view.path(str(file), place)
            yield Mount("bind", path, str(entry.get("target") or f"/{source}"), True, place, outside, True)


def devices(view: View, config: Config) -> Iterator[str]:
    """The devices of the host that a service gets, in the short form."""
    for item in config.get("devices") or ():
        source, target, rights = (str(item.get(key) or "") for key in ("source", "target", "permissions"))
        parts = [source, target or source, *([rights] if rights not in ("", "rwm") else [])]
        yield view.text(":".join(parts))


def dependencies(view: View, name: str, config: Config) -> Iterator[Dependency]:
    """What a service waits for; an entry that stands where a link or a shared namespace does is an implicit one."""
    lists = [(key, i) for key in ("links", "volumes_from") for i in range(len(config.get(key) or ()))]
    shared = [(key,) for key in ("network_mode", "ipc", "pid", "uts", "cgroup") if config.get(key)]
    paths: list[tuple[str | int, ...]] = [*lists, *shared]
    implied = {view.place("services", name, *path) for path in paths}
    for needed, entry in (config.get("depends_on") or {}).items():
        place = view.place("services", name, "depends_on", needed)
        yield Dependency(
            needed,
            str(entry.get("condition") or "service_started"),
            bool(entry.get("required", True)),
            place or view.nearest("services", name),
            place in implied or place is None,
            bool(entry.get("restart")),
            view.place("services", name, "depends_on", needed, "condition") not in (None, place),
            place is not None and bool(_DELIBERATE.search(raw.comment_beside(view.source, place))),
        )


def networks(view: View, name: str, config: Config) -> Iterator[Attachment]:
    """The networks that a service joins, the default one included."""
    for network, entry in (config.get("networks") or {}).items():
        place = view.place("services", name, "networks", network) or view.nearest("services", name)
        said = entry or {}
        yield Attachment(network, strings(said.get("aliases")), place, str(said.get("ipv4_address") or ""))


def healthcheck(view: View, name: str, config: Config) -> Healthcheck | None:
    """How a service's health is probed; None if it says nothing of it."""
    check = config.get("healthcheck")
    if not check:
        return None
    test = list(check.get("test") or ())
    place = view.nearest("services", name, "healthcheck", "test")
    head = test[0] if test else ""
    return Healthcheck(
        view.words(test[1:] if head in ("CMD", "CMD-SHELL", "NONE") else test, place),
        head == "CMD-SHELL",
        bool(check.get("disable")) or head == "NONE",
        str(check.get("interval") or ""),
        str(check.get("timeout") or ""),
        "" if check.get("retries") is None else str(check["retries"]),
        str(check.get("start_period") or ""),
        view.nearest("services", name, "healthcheck"),
        view.commands(test[1:], place, as_text=head == "CMD-SHELL"),
        place,
    )


def keeps_image_check(config: Config) -> bool:
    """Whether a service has a `healthcheck` that changes nothing of the image's: `disable: false`."""
    check = config.get("healthcheck")
    return check is not None and not any(check.values())


def extra_hosts(config: Config) -> tuple[str, ...]:
    """The names that a service knows beside those of its networks."""
    entries = config.get("extra_hosts") or ()
    names = entries if isinstance(entries, dict) else (str(item).replace("=", ":").split(":")[0] for item in entries)
    links = (str(item).rpartition(":")[2] for item in config.get("external_links") or ())
    aliases = (str(item).rpartition(":")[2] for item in config.get("links") or () if ":" in str(item))
    return (*map(str, names), *links, *aliases)


def build(view: View, name: str, config: Config) -> Build | None:
    """How a service's image is built; None if it isn't."""
    entry = config.get("build")
    if not entry:
        return None
    place = view.nearest("services", name, "build")
    context, outside = view.path(str(entry.get("context") or "."), place)
    dockerfile = str(entry.get("dockerfile") or "Dockerfile")
    if not outside:
        dockerfile = view.path(dockerfile)[0] if dockerfile.startswith("/") else _join(context, dockerfile)
    arguments = entry.get("args") or {}
    return Build(
        context,
        dockerfile,
        str(entry.get("target") or ""),
        tuple((key, None if value is None else view.value(key, value, place)) for key, value in arguments.items()),
        place,
        outside,
        bool(entry.get("dockerfile_inline")),
        tuple(entry.get("additional_contexts") or {}),
        view.place("services", name, "build", "target"),
        tuple(view.path(str(path), place)[0] for path in (entry.get("additional_contexts") or {}).values()),
        tuple(str(item.get("source", "")) for item in entry.get("secrets") or () if isinstance(item, dict)),
        tuple(view.nearest("services", name, "build", "args", key) for key in arguments),
    )


def _join(folder: str, path: str) -> str:
    return normpath(join(folder, path))


def labels(view: View, name: str, config: Config, *below: str) -> Iterator[Label]:
    """The labels of a service, or of a part of it."""
    for label, value in (config.get("labels") or {}).items():
        place = view.nearest("services", name, *below, "labels", label)
        yield Label(label, view.value(label, value, place).text, place)
