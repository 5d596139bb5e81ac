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

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BUILT_IN = frozenset({"bridge", "host", "none", "ingress"})
_OF_PROJECT = "default"
"""In the name of the network that Compose makes for each project, so that another repository may bring it."""


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each external network that no project, command or document of the repository makes."""
    own = [item for item in inventory.networks if not item.external]
    if _creates_networks(inventory):
        return
    elsewhere = deployment.uses_orchestrator(inventory)
    swarm = {project.name for project in inventory.projects if project.for_swarm}
    for name, users in _wanted(inventory, own).items():
        alike = next((other for other in own if other.name == name), None)
        plain = None if alike else _without_prefix(inventory, name)
        if alike:
            yield _renamed(name, users[0], alike, swarm)
        elif plain:
            yield _prefixed(name, users[0], plain)
        elif not elsewhere:
            yield _missing(name, users)


def _wanted(inventory: Inventory, own: list[Network]) -> dict[str, list[Network]]:
    """The external networks that nothing makes, by their names; Compose leaves out those that no service joins.

    What a network is called that a variable names, whoever sets that knows.
    """
    chosen = {(item.project, item.target) for item in inventory.variables}
    joined = {(item.project, each.network) for item in inventory.services for each in item.networks}
    missing: defaultdict[str, list[Network]] = defaultdict(list)
    for item in inventory.networks:
        name = item.called or item.name
        foreign = item.external and name not in _BUILT_IN and _OF_PROJECT not in name
        foreign = foreign and (bool(item.called) or (item.project, f"networks.{item.name}.name") not in chosen)
        if foreign and (item.project, item.name) in joined and not _is_made(name, own):
            missing[name].append(item)
    return missing


def _without_prefix(inventory: Inventory, name: str) -> Network | None:
    """The network of a project that is external as well, and that is asked for with the project's name before it."""
    for item in inventory.networks:
        folder = posixpath.basename(posixpath.dirname(item.location.file))
        if item.external and folder and name == f"{folder}_{item.name}" and (item.called or item.name) != name:
            return item
    return None


def _is_made(name: str, own: list[Network]) -> bool:
    """Whether a project makes a network of that name: as it says itself, or with the name of the project before it."""
    return any(item.called == name or (not item.called and name.endswith(f"_{item.name}")) for item in own)


def _missing(name: str, users: list[Network]) -> Evidence:
    item, *others = users
    written = f"write `docker network create {name}` down"
    return Evidence(
        f"The network {name} is external, and no project, script or document of the repository makes it: "
        "`docker compose up` ends at once, unless the host has it.",
        item.location,
        subject=name,
        related=tuple(Related(each.location, f"{each.location.file} joins it as well", member=True) for each in others),
        recommendation=f"{written.capitalize()}, as {counted(len(users), 'project')} join it."
        if others
        else f"Remove `external` from {name}, or {written}.",
        example=files.into("README.md", f"docker network create {name}"),
    )


def _renamed(name: str, item: Network, other: Network, swarm: set[str]) -> Evidence:
    """Of a network that a project, or a stack, makes under the name of the project as well."""
    file = other.location.file
    owner = "stack" if other.project in swarm else "project"
    start = "docker stack deploy" if item.project in swarm else "docker compose up"
    return Evidence(
        f"The network {name} is external, and the one that {file} makes is called `<{owner}>_{name}`, as it says no "
        f"`name:`: `{start}` ends at once, unless the host has one of that name.",
        item.location,
        subject=name,
        related=(Related(other.location, "the network that is meant"),),
        recommendation=f"Say `name: {name}` for the network in {file}, and start the files one by one.",
        severity=Severity.MEDIUM,
        example=files.into(file, f"networks:\n  {other.name}:\n    name: {name}"),
    )


def _prefixed(name: str, item: Network, other: Network) -> Evidence:
    """Of a network that another project joins as an external one too, so that its name has no prefix."""
    file, plain = item.location.file, other.called or other.name
    return Evidence(
        f"The network {name} is external, and the one of {other.location.file} is called {plain}, as it is external "
        "there as well: `docker compose up` ends at once, or its services meet nobody of that project.",
        item.location,
        subject=name,
        related=(Related(other.location, "the network that is meant"),),
        recommendation=f"Say `name: {plain}` for the network in {file}.",
        severity=Severity.MEDIUM,
        example=files.into(file, f"networks:\n  {item.name}:\n    external: true\n    name: {plain}"),
    )


def _creates_networks(inventory: Inventory) -> bool:
    """Whether a command, a document or a comment makes networks; its name may stand in a variable."""
    if any(project.tells_network for project in inventory.projects):
        return True
    commands = (" ".join(item.words) for item in deployment.commands(inventory))
    mentions = (item.text for document in inventory.documents for item in document.mentions)
    unread = [item for item in inventory.documents if not any("docker" in each.text for each in item.mentions)]
    said = any({"docker", "network", "create"} <= document.words for document in unread)
    return said or any("network create" in text for text in (*commands, *mentions))
