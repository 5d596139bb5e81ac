"""A profile is activated that no service has.

Compose doesn't complain about the name: it starts what needs no profile, and leaves out the services that were meant.

Anti-pattern:

    # .env.production
    COMPOSE_PROFILES=monitoring
    # compose.yaml
    prometheus:
      profiles: [observability]

Better:

    COMPOSE_PROFILES=observability

Recommendation:

    Name the profile as the services do.

References:

- https://docs.docker.com/compose/how-tos/profiles/
- https://docs.docker.com/compose/how-tos/environment-variables/envvars/#compose_profiles
"""

from __future__ import annotations

import difflib
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose_command import Call
from auditlib.conventions import compose_calls, deployment, documented_containers
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NAME = regex(r"[a-zA-Z0-9][\w.-]*")
_VARIABLE = "COMPOSE_PROFILES"


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each name that commands, documents or variables activate, where all Compose files are read."""
    if not documented_containers.known(inventory).services:
        return
    known = {name for service in inventory.services for name in service.profiles}
    places: defaultdict[str, list[Location]] = defaultdict(list)
    for name, place in _activated(inventory):
        if name not in known and _NAME.fullmatch(name):
            places[name].append(place)
    for name, found in places.items():
        yield _evidence(name, sorted(known), list(dict.fromkeys(found)))


def _activated(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    for call, place in compose_calls.everywhere(inventory):
        if _is_ours(inventory, call):
            yield from ((name, place) for name in sorted(call.profiles))
    for step in inventory.steps:
        for command in step.remote:
            yield from ((name, command.location) for call in compose_calls.in_text(" ".join(command.words))
                        for name in sorted(call.profiles))  # fmt: skip
    for line in (line for file in inventory.env_files for line in file.lines if not line.commented):
        if line.name == _VARIABLE and line.value is not None:
            yield from ((name.strip(), line.location) for name in line.value.text.split(","))
    for pair in deployment.workflow_variables(inventory):
        if pair.name == _VARIABLE:
            yield from ((name.strip(), pair.location) for name in pair.value.split(","))


def _is_ours(inventory: Inventory, call: Call) -> bool:
    """Whether a call reads Compose files of the repository, as far as it names some."""
    return all(posixpath.basename(file) in inventory.files_by_name for file in call.files)


def _evidence(name: str, known: list[str], places: list[Location]) -> Evidence:
    first, *others = places
    near = difflib.get_close_matches(name, known, 1) or (known if len(known) == 1 else [])
    there = f"; those that there are: {listed(known)}" if known else ", and none has any"
    return Evidence(
        f"{first.file} activates the profile {name}, which no service has{there}: Compose says nothing, and starts "
        "what needs no profile.",
        first,
        subject=name,
        related=tuple(Related(place, f"activates {name} too", member=True) for place in others),
        recommendation=f"Name {near[0] if near else 'a profile that services have'} in place of {name}."
        if known
        else f"Remove the profile {name}, or give it to the services that are meant.",
        severity=None if known else Severity.LOW,
        example=files.into(first.file, f"--profile {near[0] if near else '<the profile that is meant>'}"),
    )
