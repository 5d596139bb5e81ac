"""Which networks of Docker lead out of the host.

Follows https://docs.docker.com/reference/compose-file/networks/#internal.
"""

from __future__ import annotations

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
