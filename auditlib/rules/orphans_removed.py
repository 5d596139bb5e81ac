"""A command removes the containers of another Compose file of the same project.

Compose knows a project by its name, which is that of the folder unless something says otherwise: the files of one
folder are one project. `--remove-orphans` removes every container of the project that the files of the call don't name.
Called for the application's file alone, it ends the monitoring that another file of the folder started.

Anti-pattern:

    docker compose -f docker-compose.monitoring.yml up -d
    docker compose -f docker-compose.prod.yml up -d --remove-orphans

Better:

    docker compose -p monitoring -f docker-compose.monitoring.yml up -d
    docker compose -f docker-compose.prod.yml up -d --remove-orphans

Recommendation:

    Give each of the Compose files a `name:` of its own, or leave `--remove-orphans` out.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://docs.docker.com/compose/how-tos/project-name/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command, stages
from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions import command_texts, compose_calls
from auditlib.conventions.command_texts import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OPTION = "--remove-orphans"
_STARTS = frozenset({"up", "start", "create", "run"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each call with the option for one Compose file of a folder in which another one is started by itself."""
    found = [(use, call) for use in command_texts.uses(inventory, ("docker", "docker-compose"))
             if _OPTION in use.command.words and (call := compose_command.of(use.command.words))]  # fmt: skip
    if not found or compose_calls.name_project(inventory):
        return
    started = _started(inventory)
    seen: set[str] = set()
    for use, call in found:
        own = None if use.text.is_on_thrown_away_host else _own(inventory, use, call)
        others = _others(inventory, own, call, started) if own else []
        if own and others and own.name not in seen:
            seen.add(own.name)
            yield _evidence(use, call, own, others, started)


def _started(inventory: Inventory) -> dict[str, Location]:
    """The Compose files that commands and documents start by themselves, by name, each with the first place."""
    found: dict[str, Location] = {}
    for call, place in compose_calls.everywhere(inventory):
        if call.verb in _STARTS and len(call.files) == 1:
            found.setdefault(posixpath.basename(call.files[0]), place)
    return found


def _own(inventory: Inventory, use: Use, call: Call) -> Project | None:
    """The one unnamed project whose first file a call names, or has by the usual name."""
    names = {posixpath.basename(file) for file in call.files[:1]} or set(BASES)
    held = {pair.name: pair.value for pair in use.text.script.compose_variables} if use.text.script else {}
    names |= {posixpath.basename(held[name]) for word in names if (name := word.strip('${}"')) in held}
    mine = [item for item in inventory.base_projects if posixpath.basename(item.location.file) in names]
    return mine[0] if len(mine) == 1 and not mine[0].called else None


def _others(inventory: Inventory, own: Project, call: Call, started: dict[str, Location]) -> list[Project]:
    """The other unnamed projects of the folder that somebody starts by themselves."""
    folder, named = posixpath.dirname(own.location.file), {posixpath.basename(file) for file in call.files}
    return [
        item for item in inventory.base_projects
        if item is not own and not item.called and posixpath.dirname(item.location.file) == folder
        and (name := posixpath.basename(item.location.file)) in started and name not in named
        and not stages.is_for_development(item.location.file) and inventory.services_of(item.name)
    ]  # fmt: skip


def _evidence(use: Use, call: Call, own: Project, others: list[Project], started: dict[str, Location]) -> Evidence:
    names = listed(item.location.file for item in others)
    file = others[0].location.file
    return Evidence(
        f"{use.text.opening} calls `{call.verb} {_OPTION}` for {own.location.file}: {names} "
        f"{'is' if len(others) == 1 else 'are'} of the same folder, and so of the same project, whose containers the "
        "call removes.",
        use.command.location,
        subject=f"{use.text.name}/{own.location.file}",
        related=(
            *(Related(item.location, "the containers of this file go") for item in others),
            *(Related(started[posixpath.basename(item.location.file)], "it is started here") for item in others),
        ),
        recommendation=f"Give {file} a `name:` of its own, or leave `{_OPTION}` out.",
        example=files.into(file, f"name: <a name for {posixpath.basename(file)}>"),
    )
