"""The texts by which a deployment runs on its host: scripts, and what a workflow has the host run by SSH."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions import environments
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Step
from auditlib.inventory.stack import Project, Service
from auditlib.model import Location
from auditlib.patterns import regex

_FETCHES = regex(r"\bgit\s+(?:-C\s+\S+\s+)?(?:pull|fetch|reset|checkout)\b|\brsync\b")
_COPYING = regex(r"^appleboy/scp-action@")
_SAID = frozenset({"echo", "printf", "log", "info", "print"})
"""What only tells people of a command."""


def each(inventory: Inventory) -> Iterator[Sequence[Command]]:
    """The commands of each text, development's apart."""
    yield from (item.commands for item in inventory.scripts if not environments.is_for_development(item.path))
    for step in inventory.steps:
        yield step.remote or (step.commands if any(item.words[:1] == ("ssh",) for item in step.commands) else ())


def copied(inventory: Inventory) -> dict[Location, tuple[Command, ...]]:
    """By the place of a step the copies by which earlier steps of its job bring files to a host."""
    found: dict[Location, tuple[Command, ...]] = {}
    for job in inventory.jobs:
        before: tuple[Command, ...] = ()
        for step in job.steps:
            found[step.location] = before
            before = (*before, *_copies(step))
    return found


def _copies(step: Step) -> Iterator[Command]:
    """The copies of a step, an action's as a command with the sources that it is given."""
    given = {pair.name: pair.value for pair in step.inputs}
    if _COPYING.search(step.uses) and given.get("source"):
        yield Command(("scp", *re.split(r"[,\s]+", given["source"].strip()), "host:"), step.location)
    yield from (item for item in step.commands if item.words[:1] in (("scp",), ("rsync",)) and ":" in item.words[-1])


def brings(copy: Command, path: str) -> bool:
    """Whether a copy brings a file or folder of the repository, as far as it names its sources by themselves."""
    sources = (posixpath.normpath(word.removesuffix("*")) for word in copy.words[1:-1] if not word.startswith("-"))
    return any(source in (".", path) or path.startswith(f"{source}/") for source in sources)


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
