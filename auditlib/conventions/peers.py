"""Host names that a service may use beside those of its project's services.

Sources: https://docs.docker.com/engine/network/ (names of the host), https://www.rfc-editor.org/rfc/rfc6761.
"""

from __future__ import annotations

from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Endpoint, Service
from auditlib.patterns import regex

_ITSELF = frozenset({"localhost", "ip6-localhost", "host", "hostname", "example", "broadcasthost", "unix"})
"""Names of the host itself, and what stands before the path of a socket (`unix//run/app.sock`)."""
_NO_NETWORK = frozenset({
    "file", "sqlite", "unix", "npipe", "data", "memory", "mem", "local", "fd", "docker", "env",
    "s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss", "wasb", "wasbs", "oss",
})  # fmt: skip
"""Schemes of what is no host: files, sockets, and the buckets of object stores."""
_SPELLED_AS_NAME = regex(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
"""How the names of services look; anything else in its place is more likely a placeholder or a word."""


def could_be_service(end: Endpoint) -> bool:
    """Whether an address names its host in one word, as only a service of the same network is called."""
    return bool(
        end.scheme.split("+")[0] not in _NO_NETWORK and end.host not in _ITSELF and _SPELLED_AS_NAME.fullmatch(end.host)
    )


def joined_by_others(inventory: Inventory, service: Service) -> str:
    """A network of a service that containers of other projects may join, as it has its own name, or do so here; empty
    for none.
    """
    mine = {attachment.network for attachment in service.networks}
    own = {service.project, *inventory.family(service.project)}
    found = [item for item in inventory.networks if item.name in mine]
    named = (item.called for item in found if item.project in own and item.called and not item.external)
    return next(named, next((item.name for item in found if item.project not in own and item.external), ""))


def is_known(inventory: Inventory, host: str) -> bool:
    """Whether the audit's configuration says that a name leads to a host outside of the repository."""
    return host.lower() in {name.lower() for name in inventory.known_hosts}


def may_be_known(inventory: Inventory, service: Service, end: Endpoint) -> bool:
    """Whether a name may be known to a service though its project has none: a network of others holds their names, and
    its own those of the projects that join it.
    """
    mine = {attachment.network for attachment in service.networks}
    own = {service.project, *inventory.family(service.project)}
    external = [item.project in own for item in inventory.networks if item.external and item.name in mine]
    return (
        is_known(inventory, end.host)
        or end.host in service.extra_hosts
        or service.network_mode == "host"
        or any(external)
        or (bool(external) and end.host in _joining(inventory))
    )


@answered_once
def _joining(inventory: Inventory) -> frozenset[str]:
    """The names of all services of projects that join networks of others."""
    guests = {item.project for item in inventory.networks if item.external}
    return frozenset(
        name.lower()
        for item in inventory.services
        if item.project in guests
        for name in (item.name, item.container_name, item.hostname, *(x for at in item.networks for x in at.aliases))
    )
