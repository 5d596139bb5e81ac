"""What reverse proxies lead to from outside of the host: by Traefik's labels, and by the upstreams of other proxies.

Follows https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from auditlib.conventions import proxies, published_ports, services, traefik, traefik_settings
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy, Upstream
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_ENTRY_POINT = regex(r"--entry-?points\.(?P<name>[\w-]+)\.address=\S*?:(?P<port>\d+)(?:/\w+)?", re.I)
_LOCAL = regex(r"(?:.*\.)?(?:localhost|local|test|internal|lan|home\.arpa)|127\.[\d.]+")
"""Names that lead nowhere outside of a host or an office (https://www.rfc-editor.org/rfc/rfc6761)."""


class Way(Struct, frozen=True):
    """How requests from outside reach a service: by a proxy whose port is published, under the host names told."""

    service: Service
    proxy: Service
    hosts: tuple[str, ...]
    location: Location
    route: traefik.Route | None = None
    """The router that a label of Traefik declares."""
    config: ReverseProxy | None = None
    """The configuration of any other proxy."""
    guarded: bool = False
    """Whether what leads there asks for a login or lets in known addresses alone, as far as it is known."""

    @property
    def is_local(self) -> bool:
        """Whether it is told under names that lead to the own host or network only."""
        return is_local(self.hosts)


def is_local(hosts: Collection[str]) -> bool:
    """Whether names, as far as there are any, lead to the own host or network only."""
    return bool(hosts) and all(_LOCAL.fullmatch(host) for host in hosts)


def ways(inventory: Inventory) -> list[Way]:
    """Every way from outside to a service of what is deployed."""
    found: list[Way] = []
    for project in inventory.deployed_projects:
        mine = {
            name: item
            for member in inventory.family(project.name)
            if member not in inventory.aside
            for name, item in inventory.services_of(member).items()
        }
        found += _of_traefik(inventory, mine.values(), traefik_settings.of_other_stack(inventory, project))
    return found + list(_of_upstreams(inventory))


def _of_traefik(inventory: Inventory, mine: Collection[Service], other: Service | None) -> Iterator[Way]:
    candidates = (*mine, *((other,) if other else ()))
    proxy = next(
        (item for item in candidates if _is_traefik(inventory, item) and published_ports.is_exposed(item)), None
    )
    if proxy is None or not traefik_settings.reads_labels(inventory, proxy):
        return
    words = (*proxy.entrypoint, *proxy.command)
    entries = {match["name"].lower(): match["port"] for word in words if (match := _ENTRY_POINT.fullmatch(word))}
    published = {port.target for port in published_ports.public_ports(proxy)}
    everywhere = any("middlewares" in word for word in words)
    declared = traefik.middlewares_of(mine)
    for service in mine:
        for route in traefik.routes_of(service, enabled=traefik.takes_all(proxy)):
            if _is_open(route, entries, published):
                guarded = everywhere or traefik.is_guarded(route, declared)
                yield Way(service, proxy, route.hosts, route.location, route, guarded=guarded)


def _is_traefik(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    return found is not None and found.name == "Traefik"


def _is_open(route: traefik.Route, entries: Mapping[str, str], published: set[str]) -> bool:
    """Whether one of a router's entry points is published, as far as they are known."""
    named = [entries.get(name.lower()) for name in route.entry_points]
    return not named or any(port is None or port in published for port in named)


def _of_upstreams(inventory: Inventory) -> Iterator[Way]:
    """The upstreams of proxies whose configuration an exposed service of what is deployed runs with."""
    for config in inventory.reverse_proxies:
        for proxy in proxies.runners(inventory, config):
            if proxy.project in inventory.aside or not published_ports.is_exposed(proxy):
                continue
            mine = inventory.services_of(proxy.project)
            for upstream in config.upstreams:
                service = mine.get(upstream.host)
                if service is not None and service is not proxy and _is_published(proxy, upstream):
                    guarded = _is_guarded(config, upstream)
                    yield Way(service, proxy, (), upstream.location, config=config, guarded=guarded)


def _is_guarded(config: ReverseProxy, upstream: Upstream) -> bool:
    """Whether a guard stands before an upstream, as far as the file tells; of nginx before each of its locations."""
    if upstream.guarded is not None:
        return upstream.guarded
    names = {upstream.host, upstream.group} - {""}
    ways = [item.guarded for item in config.passages if item.target in names]
    return config.guarded and (not ways or all(ways))


def _is_published(proxy: Service, upstream: Upstream) -> bool:
    """Whether a port whose requests an upstream gets is published, as far as they are known."""
    return not upstream.listens or any(port.target in upstream.listens for port in published_ports.public_ports(proxy))
