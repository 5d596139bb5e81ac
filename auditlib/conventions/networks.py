"""Which networks of Docker lead out of the host, and in which of them containers meet.

Follows https://docs.docker.com/reference/compose-file/networks/#internal.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable

from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network, Service


def _is_bridge(network: Network) -> bool:
    """Whether a network is of one host; those of Swarm publish ports by another network."""
    return network.driver in ("", "bridge", "default")


def closed_around(inventory: Inventory, service: Service) -> list[Network]:
    """The networks of a service, where all of them are internal, so that none of its ports is published."""
    wanted = {item.network for item in service.networks}
    if not wanted or service.network_mode:
        return []
    mine = (item for item in inventory.networks if item.project == service.project and item.name in wanted)
    closed = [item for item in mine if item.internal and _is_bridge(item)]
    return closed if len(closed) == len(wanted) else []


def declared(inventory: Inventory, project: str, name: str) -> Network | None:
    """The network that a project calls so, or, of an external one, the one of another project that has its name."""
    own = next((item for item in inventory.networks if (item.project, item.name) == (project, name)), None)
    if own is None or not own.external:
        return own
    others = (item for item in inventory.networks if not item.external)
    return next((item for item in others if (own.called or own.name) == known_as(item)), own)


def known_as(network: Network) -> str:
    """The name by which Docker, and so other projects, know a network: its own, or with the project's before it."""
    if network.external:
        return network.called or network.name
    return network.called or f"{posixpath.basename(network.project)}_{network.name}"


def may_meet(inventory: Inventory, one: Service, other: Service) -> bool:
    """Whether two services are of one stack, or of two with a network of the same name."""
    mine, theirs = _names(inventory, one), _names(inventory, other)
    return home(inventory, one) == home(inventory, other) or not mine.isdisjoint(theirs)


def home(inventory: Inventory, service: Service) -> str:
    """The base of the files of a service's stack."""
    return next(iter(inventory.family(service.project)), service.project)


def _names(inventory: Inventory, service: Service) -> set[str]:
    found = (declared(inventory, service.project, item.network) for item in service.networks)
    return {known_as(network) for network in found if network}


def to_meet(inventory: Inventory, project: str, others: Iterable[Service]) -> list[str]:
    """The networks in which a further service of a project meets others; without any the one that most are in."""
    everybody = inventory.services_of(project)
    usual = Counter(item.network for service in everybody.values() for item in service.networks)
    found: list[str] = []
    for service in others:
        mine = [item.network for item in service.networks] if everybody.get(service.name) is service else []
        if mine and set(mine).isdisjoint(found):
            found.append(max(mine, key=usual.__getitem__))
    return found or [name for name, _ in usual.most_common(1)]
