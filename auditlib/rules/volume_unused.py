"""A declared volume is used by no service.

A volume that nobody mounts is either left over, or the sign of a mistake: a service that was to keep its data there
writes into its container instead, and loses it with the next update.

Anti-pattern:

    services:
      db:
        image: postgres:16
    volumes:
      old_data:

Better:

    services:
      db:
        image: postgres:16
        volumes: ["old_data:/var/lib/postgresql/data"]
    volumes:
      old_data:

Recommendation:

    Use the volume in the service that it was meant for, or remove its declaration.

References:

- https://docs.docker.com/reference/compose-file/volumes/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all volumes that neither it nor an overlay of it uses."""
    for project in inventory.base_projects:
        family = {item.name for item in inventory.projects if project.name in (item.name, item.base)}
        mine = [service for service in inventory.services if service.project in family]
        used = {item.source for service in mine for item in service.mounts if item.kind == "volume"}
        unused: dict[str, Volume] = {}
        for item in inventory.volumes:
            if item.project in family and item.name not in used:
                unused.setdefault(item.name, item)
        if unused and mine:
            yield _evidence(project.name, list(unused.values()))


def _evidence(project: str, unused: list[Volume]) -> Evidence:
    first, *others = unused
    names = listed(item.name for item in unused)
    return Evidence(
        f"No service mounts the {'volume' if not others else 'volumes'} {names}.",
        first.location,
        subject=f"{project}/volumes",
        related=tuple(Related(item.location, f"{item.name} is used by no service", member=True) for item in others),
        recommendation=f"Remove {names} from `volumes`, or use {'it' if not others else 'them'} where "
        f"{'it was' if not others else 'they were'} meant to be.",
    )
