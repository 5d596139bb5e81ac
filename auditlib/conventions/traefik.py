"""What the labels of services tell Traefik: ports to pass requests to, and routers that name a service.

Follows https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/; names of labels count in
any case. What a template makes of other labels isn't known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_PORT = regex(r"traefik\.(?P<protocol>http|tcp|udp)\.services\.(?P<name>[^.]+)\.loadbalancer\.server\.port", re.I)
_SERVICE = regex(r"traefik\.(?:http|tcp|udp)\.services\.(?P<name>[^.]+)\.", re.I)
_ROUTER = regex(r"traefik\.(?:http|tcp|udp)\.routers\.(?P<name>[^.]+)\.service", re.I)


_ROUTED = regex(r"traefik\.(?:http|tcp|udp)\.(?:routers|services)\..+", re.I)
_ENABLED = "traefik.enable"


class RoutedLabel(Struct, frozen=True):
    """The first label by which a service asks Traefik to pass requests to it."""

    service: Service
    location: Location


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


def routed(inventory: Inventory) -> Iterator[RoutedLabel]:
    """The services to which Traefik passes requests as their labels say; one that is switched off is none."""
    for service in inventory.services:
        asks = [label for label in service.labels if _ROUTED.fullmatch(label.name) or _is_switch(label.name)]
        if asks and not any(_is_switch(label.name) and label.value.lower() == "false" for label in asks):
            yield RoutedLabel(service, asks[0].location)


def _is_switch(name: str) -> bool:
    return name.lower() == _ENABLED


def ports(inventory: Inventory) -> Iterator[PortLabel]:
    """Every port that a label names as a number."""
    for service in inventory.services:
        yield from ports_of(service)


def ports_of(service: Service) -> Iterator[PortLabel]:
    """The ports that the labels of one service name."""
    for label in service.labels:
        if _PORT.fullmatch(label.name) and label.value.isdigit():
            yield PortLabel(service, label.value, label.location)


def routers(inventory: Inventory) -> Iterator[RouterLabel]:
    """Every router whose service a label names."""
    for service in inventory.services:
        for label in service.labels:
            if (match := _ROUTER.fullmatch(label.name)) and not re.search(r"[${]", match["name"] + label.value):
                target, _, provider = label.value.strip().partition("@")
                yield RouterLabel(service, match["name"], target, provider, label.location)


def services(inventory: Inventory) -> frozenset[str]:
    """The services that labels of any container, or files for Traefik, define, in lower case.

    A container whose labels define none is one by its own name and its project's.
    """
    labels = [(item, _SERVICE.match(label.name)) for item in inventory.services for label in item.labels]
    named = {match["name"].lower() for _, match in labels if match}
    files = {item.group.lower() for proxy in inventory.reverse_proxies for item in proxy.upstreams if item.group}
    plain = {name.lower() for item in inventory.services for name in (item.name, f"{item.name}-{item.project}")}
    return frozenset(named | files | plain)
