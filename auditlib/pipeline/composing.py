"""The calls of Docker Compose that the steps of a job make, each with the project that it means.

Follows https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.command_words import core
from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions.workspaces import Workspace
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.stack import Project
from auditlib.paths import normal

_VARIABLE = "COMPOSE_FILE"
_MAY_MAKE_FILES = frozenset(
    {"make", "just", "task", "npm", "yarn", "pnpm", "bash", "sh", "python", "python3", "source", "."}
)
"""Programs whose work isn't followed here; after one of them a job may have files that no step names."""


class ComposeCall(Struct, frozen=True):
    """A call in a step. Not `certain` if something before it may have made files."""

    step: Step
    command: Command
    call: Call
    files: tuple[str, ...]
    """The Compose files that it names, relative to the root."""
    project: Project
    certain: bool


def of_job(inventory: Inventory, workspace: Workspace) -> Iterator[ComposeCall]:
    """The calls whose project is known; none for options that say more than files."""
    certain = not _is_told(inventory)
    elsewhere = _names_files(inventory, workspace.job)
    for step in workspace.job.steps:
        certain = certain and not step.uses.startswith("./")
        elsewhere = elsewhere or "COMPOSE_FILE=" in step.run or any(pair.name == _VARIABLE for pair in step.env)
        for command in step.commands:
            words = core(list(command.words))
            if words and (posixpath.basename(words[0]) in _MAY_MAKE_FILES or words[0].startswith("./")):
                certain = False
            if any(file.endswith((".yml", ".yaml")) for file in command.writes):
                certain = False
            call = compose_command.of(command.words)
            if call and len(call.options) == 2 * len(call.files) and (call.files or not elsewhere):
                folder = workspace.folder(step, command)
                files = tuple(normal(posixpath.join(folder, file)) for file in call.files)
                if project := _project(inventory, folder, files):
                    yield ComposeCall(step, command, call, files, project, certain)


def _names_files(inventory: Inventory, job: Job) -> bool:
    """Whether a variable tells Compose in a job which files to take where a call names none."""
    outside = (pair for item in inventory.workflows if item.file == job.workflow for pair in item.env)
    return any(pair.name == _VARIABLE for pair in (*outside, *job.env))


def _is_told(inventory: Inventory) -> bool:
    """Whether an environment file, or a template that a job may copy, names other files than Compose looks for."""
    lines = (line for file in inventory.env_files for line in file.lines if line.name == _VARIABLE)
    return any(not line.commented and not (line.value and line.value.text in BASES) for line in lines)


def _project(inventory: Inventory, folder: str, files: tuple[str, ...]) -> Project | None:
    """The base project that a call names, or that stands in the folder."""
    found = [
        project
        for project in inventory.base_projects
        if (set(files) <= set(project.files) if files else normal(posixpath.dirname(project.location.file)) == folder)
    ]
    return found[0] if len(found) == 1 else None
