"""The texts by which a deployment runs on its host: scripts, and what a workflow has the host run by SSH."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Project, Service
from auditlib.patterns import regex

_FETCHES = regex(r"\bgit\s+(?:-C\s+\S+\s+)?(?:pull|fetch|reset|checkout)\b|\brsync\b")
_SAID = frozenset({"echo", "printf", "log", "info", "print"})
"""What only tells people of a command."""


def each(inventory: Inventory) -> Iterator[Sequence[Command]]:
    """The commands of each text, development's apart."""
    yield from (item.commands for item in inventory.scripts if not environments.is_for_development(item.path))
    for step in inventory.steps:
        yield step.remote or (step.commands if any(item.words[:1] == ("ssh",) for item in step.commands) else ())


def fetching(commands: Sequence[Command]) -> Command | None:
    """The first command of a text that brings the repository's files up to date."""
    done = (item for item in commands if item.words[:1] and item.words[0] not in _SAID)
    return next((item for item in done if _FETCHES.search(" ".join(item.words))), None)


def projects(inventory: Inventory, command: Command, call: Call) -> list[Project]:
    """The projects that a call may mean: those in the folder that it is in, if that is known, else the first.

    All of them where the folder is a variable's, as in a loop.
    """
    names = {posixpath.basename(file) for file in call.files} or set(BASES)
    found = [item for item in inventory.deployed_projects
             if {posixpath.basename(file) for file in item.files} & names]  # fmt: skip
    told = [f"/{posixpath.normpath(file)}" for file in call.files if "/" in file]
    exact = [item for item in found if any(f"/{file}".endswith(end) for file in item.files for end in told)]
    if exact:
        return exact[:1]
    if "$" in command.folder:
        return found
    folder = posixpath.basename(command.folder)
    there = [item for item in found if posixpath.basename(posixpath.dirname(item.location.file)) == folder]
    return (there or found)[:1]


def started(inventory: Inventory, project: Project, call: Call) -> list[Service]:
    """The services of a project that a call starts: those that it names, or all that need no other profile."""
    mine = inventory.services_of(project.name).values()
    if call.services:  # whose own profiles a call that names them activates
        return [item for item in mine if item.name in call.services]
    return [item for item in mine if not item.profiles or call.profiles & set(item.profiles)]
