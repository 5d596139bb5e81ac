"""A command that is to stop one profile stops the whole project.

`--profile` adds services to those without a profile, it doesn't leave those out. `docker compose --profile drill down`
stops and removes the database and the application too, at the end of a drill that was to touch neither.

Anti-pattern:

    docker compose --profile drill run --rm restore-drill
    docker compose --profile drill down

Better:

    docker compose --profile drill rm --stop --force restore-db

Recommendation:

    Name the services that are to stop (`rm --stop --force`), or keep them in a project of their own.

References:

- https://docs.docker.com/compose/how-tos/profiles/
- https://docs.docker.com/reference/cli/docker/compose/down/
- https://docs.docker.com/reference/cli/docker/compose/rm/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.conventions import told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each `down` with a profile in a file that starts nothing but services of that profile."""
    told = [(item, call) for item in told_commands.everywhere(inventory)
            if "--profile" in item.text and (call := compose_command.of(item.words))]  # fmt: skip
    for item, call in told:
        if call.verb != "down" or call.services or call.project:
            continue
        mine = _services(inventory, call)
        inside = [service for service in mine if call.profiles & set(service.profiles)]
        needed = _needed(mine, inside)
        others = [service for service in mine if not service.profiles and service.name not in needed]
        starts = [other for beside, other in told if beside.location.file == item.location.file]
        if inside and others and _starts_only(starts, {service.name for service in inside}):
            yield _evidence(item, call, inside, others)


def _services(inventory: Inventory, call: Call) -> list[Service]:
    """The services of the project that a call means."""
    names = {posixpath.basename(file) for file in call.files}
    found = [project for project in (inventory.projects if names else inventory.base_projects)
             if not names or names & {posixpath.basename(file) for file in project.files}]  # fmt: skip
    return list(inventory.services_of(found[0].name).values()) if len(found) == 1 else []


def _needed(mine: list[Service], inside: list[Service]) -> set[str]:
    """The services that those of a profile start with them, and that are meant to stop with them."""
    waits = {service.name: {item.service for item in service.dependencies} for service in mine}
    found = {service.name for service in inside}
    while more := {name for each in found for name in waits.get(each, ())} - found:
        found |= more
    return found


def _starts_only(calls: list[Call], names: set[str]) -> bool:
    """Whether all that is started beside it are services of the profile, each by its name."""
    starts = [call for call in calls if call.verb in ("up", "run", "start", "create")]
    return bool(starts) and all(call.services and set(call.services) <= names for call in starts)


def _evidence(item: Told, call: Call, inside: list[Service], others: list[Service]) -> Evidence:
    names = " ".join(service.name for service in inside)
    instead = item.text.replace(" down", " rm --stop --force", 1).split(" rm --stop")[0] + f" rm --stop --force {names}"
    return Evidence(
        f"{item.caller} `{item.text[:90]}`, which stops and removes {listed(service.name for service in others)} too: "
        "they have no profile, and a profile only adds to them.",
        item.location,
        subject=f"{item.location.file}/{'/'.join(sorted(call.profiles))}",
        related=tuple(Related(service.location, f"{service.name} is stopped too") for service in others[:4]),
        recommendation=f"Write `rm --stop --force {names[:60]}` in place of `down` in {item.location.file}.",
        example=files.into(item.location.file, instead),
    )
