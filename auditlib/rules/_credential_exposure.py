"""What a credential opens from outside: the services whose own it is, at a published port or through a proxy."""

from __future__ import annotations

from collections.abc import Mapping

from auditlib.conventions import environments, published_ports, routing, services
from auditlib.conventions.routing import Way
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._credential_lines import Group

Ways = Mapping[tuple[str, str], Way]
"""By project and service the first open way to it."""

_ON_DEMAND = frozenset({"tools", "tool", "admin", "debug", "manual", "dev", "development"})
"""Profiles of what somebody starts for a while."""
_AMONG_NODES = ("ERLANG_COOKIE",)
"""What the nodes of a cluster tell each other; no client of a published port ever sends it."""
_OF_ANOTHER = regex(r"(?:^|_)(?:DB|DATABASE|POSTGRES|MYSQL|MARIADB|REDIS|SMTP|MAIL|LDAP)_")
"""What a console or a service for identities connects to others with: `KC_DB_PASSWORD`."""
_LOGIN_OF_GRAFANA = "GF_SECURITY_"
"""Grafana's own login; `GF_DATABASE_PASSWORD` and the like open what it connects to."""


def open_ways(inventory: Inventory) -> dict[tuple[str, str], Way]:
    """By project and service the first way by which a published proxy leads there and asks for no login."""
    found: dict[tuple[str, str], Way] = {}
    for way in routing.ways(inventory):
        if not (way.guarded or way.is_local):
            found.setdefault((way.service.project, way.service.name), way)
    return found


def entered(inventory: Inventory, group: Group, ways: Ways) -> tuple[list[Service], list[Way]]:
    """The services that can be entered with the credential from outside: at a published port, and through a proxy."""
    own = [item for item in group.reached if _opens(inventory, item, group.name)]
    published = [item for item in own if _is_published(item)]
    routed = [way for item in own if item not in published and (way := ways.get((item.project, item.name)))]
    return published, routed


def _is_published(service: Service) -> bool:
    """Whether others reach a port of what is deployed: not what developers' files publish, or is started on demand."""
    if service.profiles and _ON_DEMAND.issuperset(service.profiles):
        return False
    return any(
        not environments.is_for_development(port.location.file) for port in published_ports.public_ports(service)
    )


def opens_console(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether the login is that of a console: nobody but who is on the host gets there."""
    found = services.product(inventory, service)
    return found is not None and found.kind in {"tool", "dashboards"} and _opens(inventory, service, name)


def _opens(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether the credential is the service's own, not one with which it connects to another."""
    found = services.product(inventory, service)
    if found is None or name.endswith(_AMONG_NODES):
        return False
    if found.name == "Grafana":
        return any(_means(entry, name) and entry.name.startswith(_LOGIN_OF_GRAFANA) for entry in service.environment)
    owned = any(_means(entry, name) and not _OF_ANOTHER.search(entry.name) for entry in service.environment)
    return found.kind in services.DATASTORES | {"tool", "dashboards", "identity"} and (
        owned or found.kind in services.DATASTORES
    )


def _means(entry: EnvironmentEntry, name: str) -> bool:
    return entry.name == name or name in entry.variables


def told(published: list[Service], routed: list[Way]) -> str:
    """Through what the credential can be used from outside."""
    ways = [f"{way.service.name} can be reached with it through {way.proxy.name}" for way in routed]
    if published:
        ways.insert(0, f"{listed(item.name for item in published)} can be reached with it on a published port")
    return "".join(f"; {way}" for way in ways)
