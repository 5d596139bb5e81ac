"""Jobs called deployments that deploy nothing: by a script or target that only prints, or by commands that only try."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import pipeline
from auditlib.command_words import SHELLS
from auditlib.conventions import deployment, workflow_events
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Pair, Script, Step
from auditlib.model import Location
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.pipeline import deploying

_TRIES = regex(r"^(?:sudo )?(?:kubectl|helm|oc|kustomize|serverless|sls|wrangler)\b.*\s--dry-?run\b(?!=none)")
_MAY_DEPLOY = regex(
    r"\.sh\b|\b(?:ssh|scp|rsync|curl|make|npm|yarn|pnpm|python3?|node|terraform|aws|gcloud|az|argocd|flux)\b"
)
_CALLED = regex(r"test|e2e|check|verify|preview|smoke|dry|local", re.I)


_DRY_RUN = regex(r"(?i)(?:\w+_)?(?:dry_?run|no_?op)")
_ASKS = regex(
    r"\[{1,2} \"?\$\{?(?P<name>\w+)(?::?-\w*)?\}?\"? (?P<sign>!=|==?|-eq|-ne) [\"']?(?P<value>\w*)[\"']? \]{1,2}\s*;?"
)
"""A condition that compares one variable with one value."""


def is_called_trial(job: Job) -> bool:
    """Whether a job's name says that it only tries, so that a deployment which arrives nowhere is what it is for."""
    return _CALLED.search(f"{job.id} {job.name}") is not None


class Printing(Struct, frozen=True):
    """What a job runs in the repository and that only prints, as a sentence calls it, and the file that it is in."""

    name: str
    file: str
    location: Location


def printing(inventory: Inventory, job: Job) -> tuple[Printing, Command] | None:
    """The script or target that a job calls, and the call, where it and the job's other steps do nothing but print."""
    found: list[tuple[Printing, Command]] = []
    for step in job.steps:
        for command in () if deployment.is_idle(step) else step.commands or (None,):
            called = _called(inventory, job, step, command) if command else None
            if command and called:
                found.append((called, command))
            elif command is None or not deployment.prints(command):
                return None
    return found[0] if found else None


def _called(inventory: Inventory, job: Job, step: Step, command: Command) -> Printing | None:
    """The script that a command starts by its path or gives to a shell, or the target that it makes, if it prints."""
    words = [word for word in command.words if word not in SHELLS and not word.startswith("-")]
    folder = posixpath.join(step.working_directory or job.working_directory, command.folder)
    script = inventory.scripts_by_path.get(normal(posixpath.join(folder, words[0]))) if words else None
    if script and _prints_only(script.commands):
        return Printing(script.path, script.path, script.location)
    names = [word for word in words[1:] if "=" not in word]
    if words[:1] == ["make"] and len(names) == 1 and len(words) == len(command.words):
        return _target(inventory, normal(folder), names[0])
    return None


def _target(inventory: Inventory, folder: str, name: str) -> Printing | None:
    """A target of the makefile of a folder, if it is there once and only prints."""
    makefiles = (item for item in inventory.manifests if item.kind == "make")
    for manifest in (item for item in makefiles if posixpath.dirname(item.path) == folder and not item.incomplete):
        found = [target for target in manifest.targets if target.name == name]
        if len(found) == 1 and _prints_only(found[0].commands):
            return Printing(f"the target {name} of {manifest.path}", manifest.path, found[0].location)
    return None


def _prints_only(given: Sequence[Command]) -> bool:
    commands = [item for item in given if item.words[:1] not in (("set",), ("cd",), ("exit",), ("export",))]
    printing = any(item.words[:1] in (("echo",), ("printf",)) for item in commands)
    return printing and all(deployment.prints(item) and not item.writes for item in commands)


def attempt(inventory: Inventory, job: Job) -> Command | None:
    """The command that only tries a deployment, in a job in which nothing else can deploy."""
    commands = [command for step in job.steps for command in step.commands]
    tried = [item for item in commands if _TRIES.search(" ".join(item.words))]
    workflow = next((item for item in inventory.workflows if item.file == job.workflow), None)
    if not tried or workflow is None or is_called_trial(job):
        return None
    runs = pipeline.of(inventory, [workflow])
    others = [" ".join(item.words) for item in commands if item not in tried]
    elsewhere = any(step.remote or (step.uses and not deployment.is_idle(step)) for step in job.steps)
    may = runs.is_opaque(job) or elsewhere or any(_MAY_DEPLOY.search(text) for text in others)
    return None if may or deploying.place(job, runs.of_job(job)) else tried[0]


class HeldBack(Struct, frozen=True):
    """A script that ends by a variable which the job sets, before it has done anything."""

    script: str
    variable: Pair
    call: Command
    end: Location


def held_back(inventory: Inventory, job: Job) -> HeldBack | None:
    """The script that a job runs as a trial, where it does nothing else and nobody runs the script in earnest."""
    for step in () if is_called_trial(job) or _may_be_request(inventory, job) else job.steps:
        switches = [pair for pair in (*job.env, *step.env) if _DRY_RUN.fullmatch(pair.name)]
        for command in step.commands if switches and len(step.commands) == 1 else ():
            script = _script(inventory, job, step, command)
            ends = [(pair, end) for pair in switches for end in _ends(script, pair)] if script else []
            if script and ends and _is_all(inventory, job, step, script):
                return HeldBack(script.path, ends[0][0], command, ends[0][1])
    return None


def _may_be_request(inventory: Inventory, job: Job) -> bool:
    """Whether pull requests may start a job, for which a trial is right."""
    workflow = next((item for item in inventory.workflows if item.file == job.workflow), None)
    asks = job.environment or "push" in job.condition
    return not asks and workflow is not None and workflow_events.runs_for_pull_requests(workflow)


def _script(inventory: Inventory, job: Job, step: Step, command: Command) -> Script | None:
    words = [word for word in command.words if word not in SHELLS and not word.startswith("-")]
    folder = posixpath.join(step.working_directory or job.working_directory, command.folder)
    return inventory.scripts_by_path.get(normal(posixpath.join(folder, words[0]))) if words else None


def _ends(script: Script, variable: Pair) -> Iterator[Location]:
    """Where a script ends well because of a variable's value, with nothing but words before."""
    for item in script.commands:
        asked = _ASKS.fullmatch(item.branch[0]) if len(item.branch) == 1 else None
        if item.words in (("exit",), ("exit", "0")) and asked and asked["name"] == variable.name:
            same = variable.value == asked["value"]
            if variable.value.isalnum() and same is not asked["sign"].startswith(("!", "-n")):
                yield item.location
            return
        if not item.function and item.words[:1] not in (("set",), ("cd",), ("export",)) and not deployment.prints(item):
            return


def _is_all(inventory: Inventory, job: Job, step: Step, script: Script) -> bool:
    """Whether the other steps of a job do nothing, and no other job or file calls the script."""
    name = posixpath.basename(script.path)
    others = [item for item in deployment.commands(inventory) if any(name in word for word in item.words)]
    here = {item.location for item in step.commands}
    return all(item.location in here for item in others) and all(
        deployment.is_idle(other) for other in job.steps if other is not step
    )
