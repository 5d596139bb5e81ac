"""What the labels of services tell Traefik: ports to pass requests to, routers, and what these let through.

Follows https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/; names of labels count in
any case. What a template makes of other labels isn't known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.inventory.stack import Label, Service
from auditlib.model import Location
from auditlib.patterns import regex

_PORT = regex(r"traefik\.(?P<protocol>http|tcp|udp)\.services\.(?P<name>[^.]+)\.loadbalancer\.server\.port", re.I)
_SERVICE = regex(r"traefik\.(?:http|tcp|udp)\.services\.(?P<name>[^.]+)\.", re.I)
_ROUTER_PART = regex(
    r"traefik\.(?P<protocol>http|tcp|udp)\.routers\.(?P<name>[^.]+)\.(?P<part>rule|entrypoints|middlewares|service|tls)(?:\.[\w.]+)?",
    re.I,
)
_MIDDLEWARE = regex(r"traefik\.http\.middlewares\.(?P<name>[^.]+)\.(?P<kind>[^.]+)(?P<rest>\..*)?", re.I)
_HOSTS = regex(r"Host(?:SNI)?\(([^()]*)\)", re.I)
_GUARDS = frozenset({"basicauth", "digestauth", "forwardauth", "ipallowlist", "ipwhitelist", "plugin"})
"""Middlewares that let in only whom they know; of a plugin nobody knows."""
_ROUTER = regex(r"traefik\.(?:http|tcp|udp)\.routers\.(?P<name>[^.]+)\.service", re.I)

_BY_LABEL_ONLY = regex(r"--providers\.docker\.exposedbydefault=false", re.I)

Middlewares = Mapping[str, Sequence[tuple[str, str]]]
"""By its name what kinds a middleware is of, with their first values."""


class PortLabel(Struct, frozen=True):
    """The port of a service's own container that Traefik is told to use."""

    service: Service
    port: str
    location: Location


class RouterLabel(Struct, frozen=True):
    """A router with the service that it passes requests to; `provider` follows an `@`, and is empty without one."""

    service: Service
    router: str
    target: str
    provider: str
    location: Location


class Route(Struct, frozen=True):
    """A router that leads to a service: whom its rule lets in, from where, and through which middlewares."""

    service: Service
    router: str
    rule: str
    entry_points: tuple[str, ...]
    """Empty for all that there are."""
    middlewares: tuple[str, ...]
    location: Location
    target: str = ""
    """What it leads to by name; `api@internal` is Traefik's own dashboard."""
    encrypted: bool = False
    """Whether it has a certificate; one without may only send its callers to one that has."""
    protocol: str = "http"
    """`http`, `tcp` or `udp`, each of which has names of its own."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names of its rule, as they are written."""
        names = (name.strip(" `'\"") for found in _HOSTS.findall(self.rule) for name in found.split(","))
        return tuple(dict.fromkeys(filter(None, names)))


def ports(inventory: Inventory) -> Iterator[PortLabel]:
    """Every port that a label names as a number."""
    for service in inventory.services:
        yield from ports_of(service)


def ports_of(service: Service) -> Iterator[PortLabel]:
    """The ports that the labels of one service name."""
    for label in service.labels:
        if _PORT.fullmatch(label.name) and label.value.isdigit():
            yield PortLabel(service, label.value, label.location)


def takes_all(proxy: Service) -> bool:
    """Whether a Traefik passes requests to services that don't say `traefik.enable=true`."""
    return not any(_BY_LABEL_ONLY.fullmatch(word) for word in (*proxy.entrypoint, *proxy.command))


def routes_of(service: Service, *, enabled: bool = True) -> Iterator[Route]:
    """The routers that a service's labels give a rule; `enabled` says whether they count without `traefik.enable`."""
    parts: dict[tuple[str, str], dict[str, Label]] = {}
    for label in service.labels:
        if label.name.lower() == "traefik.enable":
            enabled = label.value.strip().lower() == "true"
        elif match := _ROUTER_PART.fullmatch(label.name):
            parts.setdefault((match["protocol"].lower(), match["name"]), {})[match["part"].lower()] = label
    for (protocol, name), given in parts.items() if enabled else ():
        if rule := given.get("rule"):
            entry_points, middlewares = _names(given.get("entrypoints")), _names(given.get("middlewares"))
            target = given["service"].value.strip() if "service" in given else ""
            encrypted, place = "tls" in given, rule.location
            yield Route(service, name, rule.value, entry_points, middlewares, place, target, encrypted, protocol)


def target_of(route: Route) -> str:
    """The name of the service that a router leads to: the only one that the labels beside it name, if they name one."""
    named = {match["name"] for label in route.service.labels if (match := _SERVICE.match(label.name))
             and label.name.lower().startswith(f"traefik.{route.protocol}.")}  # fmt: skip
    return route.target or (named.pop() if len(named) == 1 else "")


def asked_at(service: Service, *, enabled: bool) -> Location | None:
    """Where a service has Traefik pass requests to it: a router's rule, or labels that leave it to the default."""
    for route in routes_of(service, enabled=enabled):
        return route.location
    switch = next((label for label in service.labels if label.name.lower() == "traefik.enable"), None)
    if switch is not None:
        return switch.location if switch.value.strip().lower() == "true" else None
    return next((port.location for port in ports_of(service)), None) if enabled else None


def _names(label: Label | None) -> tuple[str, ...]:
    return tuple(filter(None, (name.strip() for name in label.value.split(",")))) if label else ()


def middlewares_of(together: Iterable[Service]) -> Middlewares:
    """The middlewares that the labels of these services declare."""
    found: dict[str, list[tuple[str, str]]] = {}
    for service in together:
        for label in service.labels:
            if match := _MIDDLEWARE.fullmatch(label.name):
                found.setdefault(match["name"].lower(), []).append((match["kind"].lower(), label.value))
    return found


def is_guarded(route: Route, declared: Middlewares) -> bool:
    """Whether a route lets in known callers alone; a middleware that no label declares may see to it."""
    if "clientip(" in route.rule.lower():
        return True
    waiting, seen = list(route.middlewares), set[str]()
    while waiting:
        name = waiting.pop().lower().removesuffix("@docker")
        mine = () if name in seen else declared.get(name)
        if mine is None or any(kind in _GUARDS for kind, _ in mine):
            return True
        seen.add(name)
        waiting += [link.strip() for kind, value in mine if kind == "chain" for link in value.split(",")]
    return False


def routers(inventory: Inventory) -> Iterator[RouterLabel]:
    """Every router whose service a label names."""
    for service in inventory.services:
        for label in service.labels:
            if (match := _ROUTER.fullmatch(label.name)) and not re.search(r"[${]", match["name"] + label.value):
                target, _, provider = label.value.strip().partition("@")
                yield RouterLabel(service, match["name"], target, provider, label.location)


def services(inventory: Inventory) -> frozenset[str]:
    """The services that labels of any container, or files for Traefik, define, in lower case."""
    named = {name for item in inventory.services for name in _defined_by(item)}
    files = {item.group.lower() for proxy in inventory.reverse_proxies for item in proxy.upstreams if item.group}
    return frozenset(named | files)


def may_be_container(inventory: Inventory, target: str) -> bool:
    """Whether a name may be of a container whose labels define no service: Traefik makes one by its name and its
    project's, which may be that of the folder.
    """
    plain = (item.name.lower().replace("_", "-") for item in inventory.services if not any(_defined_by(item)))
    name = target.lower()
    return any(name == item or name.startswith(f"{item}-") for item in plain)


def _defined_by(service: Service) -> Iterator[str]:
    for label in service.labels:
        if match := _SERVICE.match(label.name):
            yield match["name"].lower()
