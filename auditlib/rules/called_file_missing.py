"""A command calls a file that the repository lacks.

A script that was moved, or a Compose file of another name, stops the job or the deployment at the command that names
it: "No such file or directory". It is found out when the job runs for the first time, or in the middle of a deployment.

Anti-pattern:

    # deploy.sh; the file is called docker-compose.prod.yaml
    docker compose -f docker-compose.prod.yml up -d

Better:

    docker compose -f docker-compose.prod.yaml up -d

Recommendation:

    Correct the name in the command, or add the file.

References:

- https://docs.docker.com/reference/cli/docker/compose/#use--f-to-specify-the-name-and-path-of-one-or-more-compose-files
- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsrun
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.command_words import SHELLS, core
from auditlib.conventions import deployment, environments
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Script, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SCRIPT = regex(r"(?:\./)?(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.(?:sh|bash|py)")
_COMPOSE = regex(r"(?:\./)?(?:[\w-][\w.-]*/)*[\w.-]+\.ya?ml")
_ELSEWHERE = frozenset({"git", "scp", "ssh", "rsync", "curl", "wget"})
"""Programs after which a script may work in a folder that isn't the repository's."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script that a job calls, and Compose file that a job or script names, which is nowhere: once for each."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for job in inventory.jobs:
        for path, place in _of_job(Workspace(inventory, job), job):
            found[path].append(place)
    for path, places in found.items():
        yield _evidence(inventory, path, list(dict.fromkeys(places)), sure=True)
    names = {posixpath.basename(path) for path in inventory.files} | _made(inventory) if inventory.scripts else set()
    left: defaultdict[str, list[Location]] = defaultdict(list)
    for script in inventory.scripts:
        for path, place in _of_script(script, names):
            left[path].append(place)
    for path, places in left.items():
        if path not in found:
            yield _evidence(inventory, path, list(dict.fromkeys(places)), sure=False)


def _of_job(workspace: Workspace, job: Job) -> Iterator[tuple[str, Location]]:
    for step in job.steps:
        for command in step.commands if not step.shell.startswith(("python", "pwsh", "cmd")) else ():
            for word in _named(command):
                path = posixpath.join(workspace.folder(step, command), word)
                if not command.cannot_fail and _is_lacking(workspace, path, step):
                    yield normal(path), command.location


def _is_lacking(workspace: Workspace, path: str, step: Step) -> bool:
    """Whether a file isn't there, in a folder that is, and its name isn't spoken of before."""
    folder = posixpath.dirname(normal(path))
    known = not folder or folder in workspace.inventory.folder_set
    name = posixpath.basename(path)
    before = (f"{item.run} {item.uses}" for item in workspace.job.steps[: step.index])
    return known and workspace.lacks(path, step) and not any(name in text for text in before)


def _named(command: Command) -> Iterator[str]:
    """The script that a command runs, or the Compose files that it names."""
    words = core(list(command.words))
    if words and words[0].startswith("./") and _SCRIPT.fullmatch(words[0]):
        yield words[0]
    elif words[1:] and posixpath.basename(words[0]) in SHELLS and _SCRIPT.fullmatch(words[1]):
        yield words[1]
    elif call := compose_command.of(command.words):
        yield from (file for file in call.files if _COMPOSE.fullmatch(file))


def _of_script(script: Script, names: set[str]) -> Iterator[tuple[str, Location]]:
    """The Compose files that a script names, unless it works with what it fetches."""
    if any(command.words and command.words[0] in _ELSEWHERE for command in script.commands):
        return
    for item in script.compose_files:
        if _COMPOSE.fullmatch(item.value) and posixpath.basename(item.value) not in names:
            yield normal(item.value), item.location


def _made(inventory: Inventory) -> set[str]:
    """The names of files that commands write, or may make."""
    commands = list(deployment.commands(inventory))
    written = {posixpath.basename(word) for command in commands for word in command.writes}
    makers = (command for command in commands if command.words and command.words[0] in ("cp", "mv", "ln", "tee"))
    return written | {posixpath.basename(command.words[-1]) for command in makers}


def _meant(inventory: Inventory, path: str) -> str:
    """The file of the same name in another folder, or beside it with an ending too many, if only one may be meant."""
    name = posixpath.basename(path)
    stem = posixpath.splitext(name)[0]
    same = [file for file in inventory.files if posixpath.basename(file) == name]
    alike = [file for file in inventory.files if posixpath.basename(file) in _spellings(name, stem)]
    found = same or alike
    return found[0] if len(found) == 1 else ""


def _spellings(name: str, stem: str) -> set[str]:
    ends = (".yml", ".yaml")
    return {f"{name}{end}" for end in ends} | {f"{stem}{end}" for end in ends if name.endswith(ends)}


def _evidence(inventory: Inventory, path: str, places: list[Location], *, sure: bool) -> Evidence:
    first, *others = places
    meant = _meant(inventory, path)
    there = f"; there is {meant}" if meant else ""
    doubt = "" if sure or meant else ", unless it is on the host"
    return Evidence(
        f"{first.file} calls {path}, which the repository lacks{there}{doubt}.",
        first,
        subject=path,
        related=(
            *(Related(place, f"calls {path} too", member=True) for place in others),
            *([Related(Location(meant), "the file that is probably meant")] if meant else []),
        ),
        recommendation=f"Write {meant} in place of {path}, or move it." if meant else
        f"Correct the name in {first.file}, or add {path}.",
        severity=Severity.LOW if environments.is_for_development(first.file) else None,
        confidence=None if sure else Confidence.MEDIUM,
        example=files.into(first.file, f"<the command that it is, with {meant or 'the file that is meant'}>"),
    )  # fmt: skip
