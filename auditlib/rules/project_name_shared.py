"""Two Compose files for different purposes make one project.

Compose names a project after its folder. Two whole files in one folder that say no `name:`, or anywhere the same one,
are the same project to it: starting the second on a host replaces the containers of the first that have the same name,
and both use the same volumes, so that production opens the database of development, with its data and its password.

Anti-pattern:

    # docker-compose.dev.yml and docker-compose.prod.yml, both with
    services:
      db:
        volumes: ["data:/var/lib/postgresql/data"]

Better:

    # docker-compose.dev.yml
    name: shop-dev
    # docker-compose.prod.yml
    name: shop

Recommendation:

    Give each file that stands alone a `name:` of its own.

References:

- https://docs.docker.com/compose/how-tos/project-name/
- https://docs.docker.com/reference/compose-file/version-and-name/
"""

from __future__ import annotations

import itertools
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.discovery import BASES
from auditlib.conventions import compose_calls, environments, kept_data
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTS = frozenset({"up", "start", "run", "create"})
_SHOWN = 4


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Two projects of a folder that commands or documents start, or of one name that both say, with a data store in
    the same volume in both.
    """
    folders: defaultdict[str, list[Project]] = defaultdict(list)
    for project in inventory.base_projects:
        if not project.called:
            folders[posixpath.dirname(project.location.file)].append(project)
    several = {folder: mine for folder, mine in folders.items() if len(mine) > 1}
    started = _started(inventory) if several else {}
    for mine in several.values():
        used = [item for item in mine if posixpath.basename(item.location.file) in started]
        for one, other in itertools.pairwise(used):
            common = _common(inventory, one, other)
            if common:
                yield _evidence(inventory, one, other, common, started)
                break
    yield from _called_alike(inventory)


def _called_alike(inventory: Inventory) -> Iterator[Evidence]:
    """Projects that say the same name; one that a variable holds may be another each time."""
    called: defaultdict[str, list[Project]] = defaultdict(list)
    for project in inventory.base_projects:
        if project.called and "$" not in project.called:
            called[project.called].append(project)
    for mine in called.values():
        pairs = ((one, other, _common(inventory, one, other)) for one, other in itertools.pairwise(mine))
        yield from (_evidence(inventory, one, other, common, {}) for one, other, common in pairs if common)


def _started(inventory: Inventory) -> dict[str, Location]:
    """The names of the Compose files that commands and documents start, each with the first place.

    None where somebody gives the projects names by a variable or an option.
    """
    found: dict[str, Location] = {}
    for call, place in compose_calls.everywhere(inventory) if not compose_calls.name_project(inventory) else ():
        if call.verb in _STARTS and len(call.files) < 2:
            for name in map(posixpath.basename, call.files or BASES):
                found.setdefault(name, place)
    return found


def _common(inventory: Inventory, one: Project, other: Project) -> list[tuple[Service, Mount, Mount]]:
    """The data stores that both projects have under one name and keep in the same named volume."""
    others = {service.name: mount for service, _, mount in kept_data.stores(inventory, other) if mount.kind == "volume"}
    return [
        (service, mount, others[service.name])
        for service, _, mount in kept_data.stores(inventory, one)
        if service.name in others and mount.kind == "volume" and mount.source == others[service.name].source
    ]


def _evidence(
    inventory: Inventory,
    one: Project,
    other: Project,
    common: list[tuple[Service, Mount, Mount]],
    started: dict[str, Location],
) -> Evidence:
    """Told at the file whose data it costs most: that of development only where both are."""
    if environments.in_development_file(inventory, one.location.file):
        one, other, common = other, one, [(service, second, first) for service, first, second in common]
    names = listed((service.name for service, _, _ in common), _SHOWN)
    first, second = one.location.file, other.location.file
    unnamed = "say no `name:`, so that both are the project of their folder"
    said = f"both say `name: {one.called}`" if one.called else unnamed
    return Evidence(
        f"{first} and {second} {said}: started on one host, the "
        f"second replaces the containers of the first, and {names} {'opens' if len(common) == 1 else 'open'} the data "
        "of the other.",
        one.location,
        subject=f"{first}/{second}",
        related=(
            Related(other.location, "the other one"),
            Related(common[0][1].location, f"the volume of {common[0][0].name}"),
            Related(common[0][2].location, "the same volume"),
            *(
                Related(started[name], f"{name} is started here")
                for name in (posixpath.basename(first), posixpath.basename(second))
                if name in started
            ),
        ),
        recommendation=f"Give {first} and {second} a `name:` of their own; move the data that is to stay.",
        example="\n".join(files.into(file, f"name: <a name for {file}>") for file in (first, second)),
    )
