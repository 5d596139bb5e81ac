"""A declared network is used by no service.

A network that nobody joins is either left over, or the sign of a mistake: services that were to be kept apart, or to
meet, on that network are all on another one.

Anti-pattern:

    services:
      db:
        image: postgres:16
    networks:
      old_data:

Better:

    services:
      db:
        image: postgres:16
        networks: [old_data]
    networks:
      old_data:

Recommendation:

    Use the network in the service that it was meant for, or remove its declaration.

References:

- https://docs.docker.com/reference/compose-file/networks/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _unused
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all networks that neither it nor an overlay of it uses."""
    wanted = {item.called for item in inventory.networks if item.external} - {""}
    declared = (item for item in inventory.networks if item.name != "default" and not _is_for_others(item, wanted))
    yield from _unused.findings(
        inventory,
        "network",
        "joins",
        declared,
        lambda service: (item.network for item in service.networks),
    )


def _is_for_others(network: Network, wanted: set[str]) -> bool:
    """Whether a network is made for another project, which joins it as an external one."""
    return not network.external and network.called in wanted
