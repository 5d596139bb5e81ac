"""Which server of the repository an exporter of PostgreSQL asks, and with which login."""

from __future__ import annotations

from msgspec import Struct

from auditlib import scraping
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex

_ADDRESS = regex(r"(?:\w+://)?(?P<user>\w+):[^@\n]{0,200}@(?P<host>[\w.-]+)")
_HOST = regex(r"(?P<host>[\w.-]+)")


class Asked(Struct, frozen=True):
    """A server with the user that an exporter logs in as, and the variables that say both."""

    server: Service
    user: str
    login: EnvironmentEntry
    address: EnvironmentEntry


def postgres(inventory: Inventory, graph: DependencyGraph, exporter: Service) -> Asked | None:
    """What the variables of an exporter name, if it is a service of the repository.

    They are one address (`DATA_SOURCE_NAME`), or an address without a login and its user
    (https://github.com/prometheus-community/postgres_exporter#environment-variables).
    """
    whole = entry(exporter, "DATA_SOURCE_NAME")
    login, address = whole or entry(exporter, "DATA_SOURCE_USER"), whole or entry(exporter, "DATA_SOURCE_URI")
    if not (login and address and login.value and address.value):
        return None
    match = (_ADDRESS if whole else _HOST).match(address.value.text)
    if match is None:
        return None
    own = scraping.service_named(inventory, graph, match["host"], project=exporter.project)
    server = own or scraping.service_named(inventory, graph, match["host"], near=exporter.location.file)
    user = match["user"] if whole else login.value.text
    return Asked(server, user, login, address) if server else None


def entry(service: Service, name: str) -> EnvironmentEntry | None:
    """A variable of a service by its name."""
    return next((item for item in service.environment if item.name == name), None)
