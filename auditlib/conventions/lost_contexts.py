"""Folders that commands and actions build an image from, and that the repository doesn't have.

Follows https://docs.docker.com/reference/cli/docker/buildx/build/ and
https://github.com/docker/build-push-action#inputs. A folder that some command of the repository may make is left out.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import build_calls, deployment
from auditlib.conventions.workspaces import GENERATED, Workspace
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Location
from auditlib.patterns import regex

_PLAIN = regex(r"(?:\.{1,2}/)*[A-Za-z_][\w.-]*(?:/[\w.-]+)*/?")


class LostContext(Struct, frozen=True):
    """`caller` says whose build it is, as the subject of a sentence; `path` is relative to the root."""

    caller: str
    path: str
    location: Location


def of(inventory: Inventory) -> list[LostContext]:
    """The contexts that aren't there, each use once."""
    found = [*_of_jobs(inventory), *_of_programs(inventory)]
    named = _named(inventory) if found else frozenset[str]()
    return [item for item in found if posixpath.basename(item.path) not in named]


def _of_jobs(inventory: Inventory) -> Iterator[LostContext]:
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository else ():
            caller = f"The step {step.name or step.index + 1} of the job {job.id}"
            if "/build-push-action@" in step.uses:
                for pair in step.inputs:
                    path = _place("", pair.value) if pair.name == "context" else ""
                    if path and workspace.lacks(path, step, "folder"):
                        yield LostContext(caller, path, pair.location)
            for command in step.commands:
                path = _place(workspace.folder(step, command), build_calls.context(command))
                if path and workspace.lacks(path, step, "folder"):
                    yield LostContext(caller, path, command.location)


def _of_programs(inventory: Inventory) -> Iterator[LostContext]:
    """Those of scripts, which run in the root or in their own folder, and of make targets and npm scripts."""
    for script in inventory.scripts:
        folders = ("", posixpath.dirname(script.path))
        yield from _of_commands(inventory, script.commands, folders, script.path)
    for manifest in inventory.manifests:
        for target in manifest.targets:
            caller = f"The target {target.name} of {manifest.path}"
            yield from _of_commands(inventory, target.commands, (posixpath.dirname(manifest.path),), caller)


def _of_commands(
    inventory: Inventory, commands: tuple[Command, ...], folders: tuple[str, ...], caller: str
) -> Iterator[LostContext]:
    for command in commands:
        context = build_calls.context(command)
        places = [_place(posixpath.join(folder, command.folder), context) for folder in folders] if context else []
        if all(places) and not any(_may_be_there(inventory, path) for path in places) and places:
            yield LostContext(caller, places[0], command.location)


def _place(folder: str, context: str) -> str:
    """The path of a context that is written out and lies in the repository; empty for another one."""
    if not _PLAIN.fullmatch(context) or any(sign in folder for sign in "$`{~"):
        return ""
    path = posixpath.normpath(posixpath.join(folder, context))
    return "" if path.startswith(("..", "/")) or path == "." else path


def _may_be_there(inventory: Inventory, path: str) -> bool:
    made = bool(GENERATED & set(path.split("/"))) or ".gitmodules" in inventory.file_set
    return made or path in inventory.folder_set or path in inventory.file_set or inventory.leads_through_link(path)


def _named(inventory: Inventory) -> frozenset[str]:
    """The last parts of the words of all commands but builds, which may make what they name."""
    others = (item for item in deployment.commands(inventory) if not build_calls.context(item))
    return frozenset(
        posixpath.basename(word.rstrip("/")).removesuffix(".git") for item in others for word in item.words
    )
