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
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _unused
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all volumes that neither it nor an overlay of it uses."""
    declared = inventory.volumes
    yield from _unused.findings(
        inventory,
        "volume",
        "mounts",
        declared,
        lambda service: (item.source for item in service.mounts if item.kind == "volume"),
    )
