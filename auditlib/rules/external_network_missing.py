"""A project joins a network that has to exist before, and nothing makes it.

Compose makes no `external` network. On a new host `docker compose up` ends with "network … declared as external, but
could not be found", until somebody remembers the command.

Anti-pattern:

    networks:
      shared: {external: true}

Better:

    # README.md
    docker network create shared

Recommendation:

    Let the project make the network itself, or write the command where the installation is described.

References:

- https://docs.docker.com/reference/compose-file/networks/#external
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BUILT_IN = frozenset({"bridge", "host", "none", "ingress"})
_OF_PROJECT = "default"
"""In the name of the network that Compose makes for each project, so that another repository may bring it."""


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each external network that no project, command or document of the repository makes."""
    made = {item.name for item in inventory.networks if not item.external}
    if _creates_networks(inventory) or deployment.uses_orchestrator(inventory):
        return
    missing: dict[str, Network] = {}
    for item in inventory.networks:
        if item.external and item.name not in made | _BUILT_IN and _OF_PROJECT not in item.name:
            missing.setdefault(item.name, item)
    for name, item in missing.items():
        yield Evidence(
            f"The network {name} is external, and no project, script or document of the repository makes it: "
            "`docker compose up` ends at once, unless the host has it.",
            item.location,
            subject=name,
            recommendation=f"Remove `external` from {name}, or write `docker network create {name}` down.",
            example=files.into("README.md", f"docker network create {name}"),
        )


def _creates_networks(inventory: Inventory) -> bool:
    """Whether a command, or a document, makes networks; its name may stand in a variable."""
    commands = (" ".join(item.words) for item in deployment.commands(inventory))
    mentions = (item.text for document in inventory.documents for item in document.mentions)
    said = any({"docker", "network", "create"} <= document.words for document in inventory.documents)
    return said or any("network create" in text for text in (*commands, *mentions))
