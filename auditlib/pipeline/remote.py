"""What a workflow has another host run by SSH, which files of the repository that names, and which variables it sets.

Sources: https://github.com/appleboy/ssh-action#input-variables, https://man.openbsd.org/ssh and
https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import env_file_uses, env_readers
from auditlib.conventions.workspaces import GENERATED, Workspace
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.inventory.stack import Project, Variable
from auditlib.patterns import regex
from auditlib.pipeline.needs import Need

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


def needs_of(workspace: Workspace) -> Iterator[tuple[Step, Need]]:
    """The files that such texts name and the repository lacks, where the job takes the repository to that host."""
    if not any(_COPIES.search(text) for text in _texts(workspace.job)):
        return
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
