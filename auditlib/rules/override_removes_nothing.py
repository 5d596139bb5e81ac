"""A Compose file empties a list of the file that it is merged into, and nothing is removed.

Compose adds the ports, mounts and variables of a later file to those of the earlier one. An empty list adds nothing,
and what was to go stays: the source code mounted over that of the image, a database's published port.

Anti-pattern:

    # compose.yaml
    api: {build: ., volumes: ["./src:/app/src"]}
    # compose.prod.yaml
    api:
      volumes: []

Better:

    api:
      volumes: !reset []

Recommendation:

    Write `!reset` before the empty list, or keep what only development needs in `compose.override.yaml`.

References:

- https://docs.docker.com/reference/compose-file/merge/#reset-value
- https://docs.docker.com/reference/compose-file/merge/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import EmptyList
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FELT = frozenset({"ports", "volumes", "environment"})
"""What is missed most: a port that is open, code of the host in place of the image's, a value of development."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every empty list of a file that is merged into one with entries."""
    for item in {item.location: item for item in inventory.empty_lists}.values():
        yield _evidence(item, together=_are_together(inventory, item))


def _are_together(inventory: Inventory, item: EmptyList) -> bool:
    """Whether the two files are surely merged: a command starts both, or the later one can't start the service."""
    files = {item.location.file, item.kept.file}
    if any(files.issubset(project.files) and project.role == "base" for project in inventory.projects):
        return True
    mine = (service for service in inventory.services if service.name == item.service)
    places = (place for each in mine for place in (each.image_location, each.build and each.build.location) if place)
    return item.location.file not in {place.file for place in places}


def _evidence(item: EmptyList, *, together: bool) -> Evidence:
    doubt = "" if together else f", unless {item.location.file} is started alone"
    aside = environments.is_for_development(item.location.file)
    return Evidence(
        f"{item.location.file} empties {item.key} of {item.service}, and Compose adds to what {item.kept.file} gives: "
        f"all of it stays{doubt}.",
        item.location,
        subject=f"{item.service}/{item.key}",
        service=item.service,
        related=(Related(item.kept, "these stay"),),
        recommendation=f"Write `{item.key}: !reset []` for {item.service} in {item.location.file}.",
        severity=Severity.LOW if aside or item.key not in _FELT else None,
        confidence=None if together else Confidence.MEDIUM,
        change=(f"{item.key}: []", f"{item.key}: !reset []"),
        example=files.into(
            item.location.file, f"services:\n  {item.service}:\n    {item.key}: !reset []   # or what is to be there"
        ),
    )
