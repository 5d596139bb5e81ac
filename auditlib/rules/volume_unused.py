"""A declared volume is used by no service.

A volume that nobody mounts is either left over, or the sign of a mistake: a service that was to keep its data there
writes into its container instead, and loses it with the next update. The same goes for one whose place in the container
a later entry takes: Compose mounts the later one alone, and says nothing.

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

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import ShadowedMount
from auditlib.inventory.stack import Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _unused
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each base project one finding for all volumes that nothing of it uses, and each whose place is taken."""
    shadowed = {item.location: item for item in inventory.shadowed_mounts}
    hidden = {(item.location.file, item.volume) for item in shadowed.values()}
    hidden |= {(item.location.file, name) for item in inventory.reset_values for name in item.volumes}
    declared = [item for item in inventory.volumes if (item.location.file, item.name) not in hidden]
    taken = _taken_elsewhere(inventory)
    declared = [item for item in declared if not any(_is_called(item, name) for name in taken)]
    yield from _unused.findings(
        inventory,
        "volume",
        "mounts",
        declared,
        lambda service: (item.source for item in service.mounts if item.kind == "volume"),
    )
    yield from map(_shadowed, shadowed.values())


def _taken_elsewhere(inventory: Inventory) -> set[str]:
    """The volumes that other projects know as external ones, and those that commands mount or look at."""
    external = {item.called or item.name for item in inventory.volumes if item.external}
    calls = (item.words for item in deployment.commands(inventory) if "docker" in item.words[:2])
    mounted = {word.rpartition("=")[2].partition(":")[0].split(",")[0] for words in calls for word in words}
    return external | {name for name in mounted if name}


def _is_called(volume: Volume, name: str) -> bool:
    """Whether Docker knows a volume by a name: its own, or with that of the project before it."""
    return not volume.external and (name == volume.called or (not volume.called and name.endswith(f"_{volume.name}")))


def _shadowed(item: ShadowedMount) -> Evidence:
    return Evidence(
        f"{item.service} mounts the volume {item.volume} on {item.target}, and a later entry of the same list takes "
        "that place: Compose mounts the later one alone.",
        item.location,
        subject=f"{item.service}/{item.volume}/shadowed",
        service=item.service,
        related=(Related(item.by, "takes its place"),),
        recommendation=f"Keep one of the two entries for {item.target}, the one with the data, and remove the other.",
        example=f"# {item.location}: without {item.volume}",
    )
