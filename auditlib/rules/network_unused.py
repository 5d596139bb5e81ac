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
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all networks that neither it nor an overlay of it uses."""
    for project in inventory.base_projects:
        family = {item.name for item in inventory.projects if project.name in (item.name, item.base)}
        mine = [service for service in inventory.services if service.project in family]
        used = {item.network for service in mine for item in service.networks}
        unused: dict[str, Network] = {}
        for item in inventory.networks:
            if item.project in family and item.name not in used and item.name != "default":
                unused.setdefault(item.name, item)
        if unused and mine:
            yield _evidence(project.name, list(unused.values()))


def _evidence(project: str, unused: list[Network]) -> Evidence:
    first, *others = unused
    names = listed(item.name for item in unused)
    return Evidence(
        f"No service joins the {'network' if not others else 'networks'} {names}.",
        first.location,
        subject=f"{project}/networks",
        related=tuple(Related(item.location, f"{item.name} is used by no service", member=True) for item in others),
        recommendation=f"Remove {names} from `networks`, or use {'it' if not others else 'them'} where "
        f"{'it was' if not others else 'they were'} meant to be.",
    )
