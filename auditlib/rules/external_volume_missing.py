"""A project mounts a volume that has to exist before, and nothing makes it.

Compose makes no `external` volume. On a new host `docker compose up` ends with "external volume … not found", until
somebody remembers the command; and who makes it then has an empty one.

Anti-pattern:

    volumes:
      shop_data: {external: true}

Better:

    # README.md
    docker volume create shop_data

Recommendation:

    Let the project make the volume itself, under a fixed `name`, or write the command where the installation is
    described.

References:

- https://docs.docker.com/reference/compose-file/volumes/#external
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Volume
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all external volumes that no project, command or document of the repository makes."""
    if _creates_volumes(inventory) or deployment.uses_orchestrator(inventory):
        return
    used = {(item.project, mount.source) for item in inventory.services for mount in item.mounts}
    named = {(item.project, item.target) for item in inventory.variables}
    own = [item for item in inventory.volumes if not item.external]
    missing: dict[str, Volume] = {}
    for item in sorted(inventory.volumes, key=lambda each: each.location):
        name = item.called or item.name
        known = (item.project, f"volumes.{item.name}.name") not in named and (item.project, item.name) in used
        if item.external and known and not _is_made(name, own):
            missing.setdefault(name, item)
    if missing:
        yield _evidence(missing)


def _is_made(name: str, own: list[Volume]) -> bool:
    """Whether a project makes a volume of that name: as it says itself, or with the name of the project before it."""
    return any(item.called == name or (not item.called and name.endswith(f"_{item.name}")) for item in own)


def _evidence(missing: dict[str, Volume]) -> Evidence:
    (name, first), *others = missing.items()
    commands = "\n".join(f"docker volume create {each}" for each in missing)
    one = not others
    return Evidence(
        f"The {'volume' if one else 'volumes'} {listed(missing)} "
        f"{'is' if one else 'are'} external, and no project, script or document of the repository makes "
        f"{'it' if one else 'them'}: `docker compose up` ends at once, unless the host has {'it' if one else 'them'}.",
        first.location,
        subject=name,
        related=tuple(Related(item.location, f"{each} is external too", member=True) for each, item in others),
        recommendation=f"Say `name: {name}` in place of `external`, or write `docker volume create {name}` down.",
        example=files.into("README.md", commands),
    )


def _creates_volumes(inventory: Inventory) -> bool:
    """Whether a command, a document or a comment makes volumes; the name may stand in a variable."""
    if any(project.tells_volume for project in inventory.projects):
        return True
    commands = (" ".join(item.words) for item in deployment.commands(inventory))
    mentions = (item.text for document in inventory.documents for item in document.mentions)
    said = any({"docker", "volume", "create"} <= document.words for document in inventory.documents)
    return said or any("volume create" in text for text in (*commands, *mentions))
