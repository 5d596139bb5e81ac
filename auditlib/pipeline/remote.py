"""What a workflow has another host run by SSH, which files of the repository that names, and which variables it sets.

Sources: https://github.com/appleboy/ssh-action#input-variables, https://man.openbsd.org/ssh and
https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from auditlib import compose_command
from auditlib.command_words import core
from auditlib.compose.discovery import BASES
from auditlib.conventions import env_file_uses, env_readers
from auditlib.conventions.workspaces import GENERATED, Workspace
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.stack import Project, Variable
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline.needs import Need, services

_COPIES = regex(r"\brsync\b|\bscp\b|\bgit (?:pull|fetch|clone|reset|checkout)\b|scp-action|ssh-deploy|rsync-deploy")
_COMPOSE = regex(r"docker[- ]compose\s(?P<options>(?:(?!&&|;|\|)[^\n])*)")
_FILE = regex(r"(?:^|\s)(?:-f|--file)[\s=]+[\"']?(?P<path>[\w./-]+\.ya?ml)\b")
_EDITED = regex(r"""\bsed\s+-i\S*\s.*[\s'"](?P<path>[\w-]+(?:/[\w.-]+)*/[\w.-]+\.\w+)["']?\s*$""")
_LONGEST_LINE = 500
_EXPORT = regex(r"^[ \t]*export[ \t]+(?P<name>[A-Za-z_]\w*)=", re.M)
_UP = regex(r"docker[- ]compose\b[^\n;&|]* up\b")
_KEPT = regex(r"\.env\b|--env-file|\.bashrc|\.profile|/etc/environment")
"""In a script that leaves the values where the next start finds them, or may."""
_MAKES = regex(r"(?:>|\b(?:cp|mv|tee|touch|curl|wget|envsubst)\b)")


def scripts(job: Job) -> Iterator[tuple[Step, str]]:
    """The texts that a job has another host run, with their steps."""
    for step in job.steps:
        if "ssh" in step.uses:
            yield from ((step, pair.value) for pair in step.inputs if pair.name == "script")
        elif any(command.words[:1] == ("ssh",) for command in step.commands):
            yield step, step.run


class Exported(Struct, frozen=True):
    """Variables of a project that may be empty and that only the script of a step exports, for its own start."""

    project: Project
    variables: tuple[Variable, ...]
    step: Step


def exported(inventory: Inventory) -> Iterator[Exported]:
    """What the deployed projects get from such a script alone, and not from `.env` or its template."""
    steps = dict(_exports(inventory))
    for project in inventory.deployed_projects if steps else ():
        family = inventory.family(project.name)
        told = set(env_readers.of_file(inventory, env_file_uses.of_compose(project)))
        used = tuple(
            item for item in inventory.variables
            if item.project in family and item.service and item.name in steps and item.name not in told
            and item.operator in (":-", "-", "") and not (item.default and item.default.text)
        )  # fmt: skip
        if used:
            yield Exported(project, used, steps[used[0].name])


def _exports(inventory: Inventory) -> Iterator[tuple[str, Step]]:
    """The variables that a script exports for its own `docker compose up` alone, with the steps."""
    for job in inventory.jobs:
        for step, text in scripts(job):
            if _UP.search(text) and not _KEPT.search(text):
                yield from ((match["name"], step) for match in _EXPORT.finditer(text))


class Overruled(Struct, frozen=True):
    """A variable of images that a deployment exports for its own start, and that another start takes from elsewhere."""

    project: Project
    variables: tuple[Variable, ...]
    export: Location
    elsewhere: Location
    """The line of an environment file, or of its template, or the default that every other start goes by."""
    file: str
    """The environment file; empty where it is the default."""
    value: str


def overruled(inventory: Inventory) -> Iterator[Overruled]:
    """The images that only the shell of a deployment knows, where what it leaves behind names other ones."""
    images = [item for item in inventory.variables if item.service and item.target.endswith(".image")]
    texts = [step.remote for job in inventory.jobs for step in job.steps if step.remote] if images else []
    for commands in texts:
        exports = dict(_given_by_shell(commands))
        kept = " ".join(" ".join((*item.words, ">", *item.writes)) for item in commands if _keeps(item))
        for command in commands if exports else ():
            call = compose_command.of(command.words)
            if call is not None and call.verb == "up":
                names = {name: place for name, place in exports.items() if name not in kept}
                yield from _of_call(inventory, call, names, images)


def _given_by_shell(commands: Sequence[Command]) -> Iterator[tuple[str, Location]]:
    """The variables that a text exports, with their places."""
    for command in commands:
        if command.words[:1] == ("export",):
            yield from ((word.partition("=")[0], command.location) for word in command.words[1:] if "=" in word)


def _keeps(command: Command) -> bool:
    """Whether a command writes a file that lasts."""
    return bool(command.writes) or (command.words[:1] in (("sed",), ("tee",)))


def _of_call(
    inventory: Inventory, call: compose_command.Call, names: dict[str, Location], images: list[Variable]
) -> Iterator[Overruled]:
    files = {posixpath.basename(file) for file in call.files} or set(BASES)
    envs = [after for word, after in itertools.pairwise(call.options) if word == "--env-file"] or [".env"]
    for project in inventory.deployed_projects:
        if not files & {posixpath.basename(file) for file in project.files}:
            continue
        for name, place in names.items():
            used = tuple(item for item in images if item.project == project.name and item.name == name)
            other = _elsewhere(inventory, project, name, envs, used) if used else None
            if other:
                yield Overruled(project, used, place, *other)


def _elsewhere(
    inventory: Inventory, project: Project, name: str, envs: list[str], used: tuple[Variable, ...]
) -> tuple[Location, str, str] | None:
    """What another start takes for a variable: from the environment file, else the default that the file has for it."""
    paths = {posixpath.normpath(posixpath.join(posixpath.dirname(project.location.file), env)): env for env in envs}
    for file in inventory.env_files:
        path = file.path if file.path in paths else file.copied_to
        for line in file.lines if path in paths else ():
            if line.name == name and line.value and line.value.text and not line.commented:
                return line.location, paths[path], line.value.text
    first = used[0]
    return (first.location, "", first.default.text) if first.operator in (":-", "-") and first.default and (
        first.default.text) else None  # fmt: skip


def needs_of(workspace: Workspace) -> Iterator[tuple[Step, Need]]:
    """The files that such texts name and the repository lacks, where the job takes the repository to that host."""
    if not any(_COPIES.search(text) for text in _texts(workspace.job)):
        return
    for step in workspace.job.steps:
        found = (need for command in step.remote for need in services(workspace.inventory, core(list(command.words))))
        yield from ((step, replace(need, sure=False)) for need in found)
    for step, text in scripts(workspace.job):
        for match in _COMPOSE.finditer(text):
            for name in _FILE.finditer(match["options"]):
                if not _has_name(workspace, name["path"]) and not _is_made(text, name["path"]):
                    yield step, Need(name["path"], "the Compose file", name["path"], sure=False)
        for line in text.splitlines():
            edited = _EDITED.search(line[:_LONGEST_LINE])
            if edited and _is_missing(workspace, edited["path"]) and not _is_made(text, edited["path"]):
                yield step, Need(edited["path"], "the file", edited["path"], sure=False)


def _texts(job: Job) -> Iterator[str]:
    for step in job.steps:
        yield f"{step.uses} {step.run} {' '.join(pair.value for pair in step.inputs)}"


def _has_name(workspace: Workspace, path: str) -> bool:
    """Whether any file is called so, since the folder that a remote command runs in is seldom known."""
    name = posixpath.basename(path)
    return any(posixpath.basename(file) == name for file in workspace.inventory.files)


def _is_missing(workspace: Workspace, path: str) -> bool:
    """Whether the repository has the folder of a file and not the file."""
    folder = posixpath.dirname(path)
    made = GENERATED & set(folder.split("/"))
    return workspace.has(folder) and not workspace.has(path) and not made


def _is_made(text: str, path: str) -> bool:
    name = posixpath.basename(path)
    return any(name in line and _MAKES.search(line.partition("sed -i")[0]) for line in text.splitlines())
