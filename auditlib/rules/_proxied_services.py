"""The proxy that stands before each service, as far as the repository holds it."""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import environments, traefik
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.scraping import service_named

_DIRECT = frozenset({"fastcgi", "uwsgi", "scgi"})
"""Protocols by which a proxy tells the client's address by itself."""


class Proxy(Struct, frozen=True):
    """What stands before a service, and where that shows."""

    name: str
    location: Location
    encrypted: bool = False
    """Whether it asks the service by HTTPS, so that the application sees that as well."""


def before(inventory: Inventory, graph: DependencyGraph) -> dict[str, Proxy]:
    """By service the proxy that passes requests to it, outside of development."""
    found: dict[str, Proxy] = {}
    for config in inventory.reverse_proxies:
        for item in config.upstreams if not environments.is_for_development(config.file) else ():
            if item.scheme in _DIRECT:
                continue
            service = service_named(inventory, graph, item.host, item.port, config.file)
            if service is not None:
                found.setdefault(service.key, Proxy(config.kind, item.location, item.scheme == "https"))
    for service in inventory.distinct_services:
        if proxy := _by_itself(service):
            found.setdefault(service.key, proxy)
    return found


def _by_itself(service: Service) -> Proxy | None:
    """The proxy that a service's own labels or variables ask to pass requests to it."""
    if route := next(traefik.routes_of(service), None):
        return Proxy("Traefik", route.location)
    entry = next((item for item in service.environment if item.name == "VIRTUAL_HOST" and item.value), None)
    return Proxy("nginx-proxy", entry.location) if entry else None
