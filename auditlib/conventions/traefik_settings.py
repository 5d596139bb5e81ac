"""What the Traefik of a project is told at its start: entry points, resolvers of certificates, providers.

By options, by variables and by a file (https://doc.traefik.io/traefik/reference/install-configuration/boot-environment/).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import mounts, services
from auditlib.conventions.traefik import Middlewares, Route
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.proxy import TraefikSetting
from auditlib.inventory.stack import Project, Service
from auditlib.model import Location
from auditlib.patterns import regex

_OPTION = regex(r"--([\w.\[\]-]{1,200})(?:=(.*))?", re.S)
_VARIABLE = regex(r"TRAEFIK_([A-Z0-9_]{1,200})")
_ROUTER = regex(r"(?P<section>http|tcp|udp)\.routers\.(?P<name>[\w.-]{1,100})\.service")
_MIDDLEWARE = regex(r"http\.middlewares\.(?P<name>[\w-]{1,100})\.(?P<kind>\w+)(?P<rest>\.middlewares)?")
_PLAIN = regex(r"[\w.-]{1,100}")
_USUAL = ("/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.toml",
          "/traefik.yml", "/traefik.yaml", "/traefik.toml")  # fmt: skip


class Settings(Struct, frozen=True, dict=True):
    """All that one Traefik is told. `complete`: whether all of it is in the repository."""

    service: Service
    project: str
    """The base project that its service belongs to."""
    static: tuple[TraefikSetting, ...]
    dynamic: tuple[TraefikSetting, ...]
    """What the files of the repository say for it to read while it runs."""
    complete: bool

    @property
    def entry_points(self) -> dict[str, str]:
        """The entry points by their name in lower case, each with its port."""
        found: dict[str, str] = {}
        for item in self.static:
            parts = item.name.split(".")
            if parts[0] == "entrypoints" and len(parts) > 1:
                found.setdefault(parts[1], "")
                if parts[2:] == ["address"]:
                    found[parts[1]] = item.value.rpartition(":")[2].partition("/")[0]
        return found

    @property
    def resolvers(self) -> dict[str, Location]:
        """The resolvers of certificates by their name in lower case."""
        names = (item.name.split(".") for item in self.static)
        places = zip(names, (item.location for item in self.static), strict=True)
        found: dict[str, Location] = {}
        for parts, place in places:
            if parts[0] == "certificatesresolvers" and len(parts) > 1:
                found.setdefault(parts[1], place)
        return found

    @property
    def redirects(self) -> bool:
        """Whether an entry point or a middleware of a file sends callers elsewhere."""
        words = (".redirections", ".redirectscheme", ".redirectregex")
        return any(word in item.name for item in (*self.static, *self.dynamic) for word in words)

    @property
    def reads_labels(self) -> bool:
        """Whether a provider of it reads the labels of services; also where not all of what it is told is known."""
        return not self.complete or any(map(self.says, ("providers.docker", "providers.swarm", "docker")))

    @property
    def reads_swarm(self) -> bool:
        """Whether it reads the labels of all services of a Swarm, whatever their stack."""
        return self.says("providers.docker.swarmmode") or self.says("providers.swarm")

    def value(self, name: str) -> str:
        """The value of a static setting; empty where nothing says it."""
        return next((item.value for item in self.static if item.name == name), "")

    def says(self, name: str) -> bool:
        """Whether a static setting, or one below it, is there."""
        return any(item.name == name or item.name.startswith(f"{name}.") for item in self.static)


@answered_once
def servers(inventory: Inventory) -> tuple[Settings, ...]:
    """The Traefik of each project that has one, outside of overlays."""
    found = services.of_product(inventory, "Traefik") if inventory.services else ()
    return tuple(_settings(inventory, item) for item in found if item.changed_at is None)


def of(inventory: Inventory, service: Service) -> Settings | None:
    """The Traefik that reads the labels of a service: that of its project, or the only one of the repository."""
    known = servers(inventory)
    mine = [item for item in known if item.project == inventory.base_of(service.project)]
    return mine[0] if len(mine) == 1 else known[0] if len(known) == 1 and not mine else None


def reads_labels(inventory: Inventory, proxy: Service) -> bool:
    """Whether a Traefik reads the labels of services, as far as the files tell."""
    return all(item.reads_labels for item in servers(inventory) if item.service.key == proxy.key)


def of_other_stack(inventory: Inventory, project: Project) -> Service | None:
    """The Traefik of another stack of the same Swarm that reads the labels of this one's services too."""
    stacks = {item.name for item in inventory.deployed_projects if item.for_swarm}
    if project.name not in stacks or any(item.project == project.name for item in servers(inventory)):
        return None
    return next((item.service for item in servers(inventory) if item.project in stacks and item.reads_swarm), None)


def _settings(inventory: Inventory, service: Service) -> Settings:
    told = [*_of_options(service), *_of_variables(service)]
    named = next((item.value for item in told if item.name == "configfile"), "")
    files = {item.location.file for item in inventory.traefik_settings}
    paths = (named,) if named else _USUAL
    static = next((path for path in (mounts.path_outside(service, each) for each in paths) if path in files), "")
    mounted = any(mounts.holding(service, path) for path in paths) and not static
    seen = {file for file in files if file != static and mounts.path_inside(service, file)}
    told += [item for item in inventory.traefik_settings if item.location.file == static]
    whole = service.build is None and not mounted and not any("${" in item.name for item in told)
    return Settings(
        service,
        inventory.base_of(service.project),
        tuple(told),
        tuple(item for item in inventory.traefik_settings if item.location.file in seen),
        bool(told) and whole,
    )


def _of_options(service: Service) -> Iterator[TraefikSetting]:
    place = service.command_location or service.location
    for word in (*service.entrypoint, *service.command):
        for each in word.split() if "\n" in word or " --" in word else (word,):
            if match := _OPTION.fullmatch(each):
                yield TraefikSetting(match[1].lower(), match[2] if match[2] is not None else "true", place)


def _of_variables(service: Service) -> Iterator[TraefikSetting]:
    for item in service.environment:
        if match := _VARIABLE.fullmatch(item.name):
            value = item.value.text if item.value else ""
            yield TraefikSetting(match[1].lower().replace("_", "."), value, item.location)


class FileRouter(Struct, frozen=True):
    """A router of a file for Traefik, and the service of files that it passes requests to."""

    name: str
    target: str
    location: Location


def routes(settings: Settings) -> Iterator[Route]:
    """The routers for HTTP of a server's files, with the middlewares that any entry point puts before them; what they
    lead to is a service of the files, by its name.
    """
    before = [link for item in settings.static if item.name.endswith(".http.middlewares") for link in _links(item)]
    told = {item.name: item for item in settings.dynamic}
    for name, item in told.items():
        match = _ROUTER.fullmatch(name)
        if match and match["section"] == "http":
            own = name.removesuffix(".service")
            rule, through = told.get(f"{own}.rule"), told.get(f"{own}.middlewares")
            links = (*before, *(_links(through) if through else ()))
            yield Route(settings.service, match["name"], rule.value if rule else "", (), links,
                        rule.location if rule else item.location, item.value.removesuffix("@file"))  # fmt: skip


def _links(item: TraefikSetting) -> list[str]:
    return [link.strip().removesuffix("@file") for link in item.value.split(",") if link.strip()]


def middlewares(settings: Settings) -> Middlewares:
    """By its name what kinds a middleware of a server's files is of, of a chain with its links."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for item in settings.dynamic:
        match = _MIDDLEWARE.fullmatch(item.name)
        if match and match["kind"] != "chain":
            found[match["name"]].append((match["kind"], ""))
        elif match and match["rest"]:
            found[match["name"]].append(("chain", item.value.replace("@file", "")))
    return found


def lost_routers(settings: Settings) -> Iterator[FileRouter]:
    """The routers of a server's files whose service none of them defines; one of another provider has an `@`."""
    names = [item.name for item in settings.dynamic]
    for item in settings.dynamic:
        match = _ROUTER.fullmatch(item.name)
        own = f"{match['section']}.services.{item.value.lower()}" if match and _PLAIN.fullmatch(item.value) else ""
        if match and own and not any(name == own or name.startswith(f"{own}.") for name in names):
            yield FileRouter(match["name"], item.value, item.location)
