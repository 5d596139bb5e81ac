"""Jobs called deployments that deploy nothing: by a script or target that only prints, or by commands that only try."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec import Struct

from auditlib import pipeline
from auditlib.command_words import SHELLS
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Location
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.pipeline import deploying

_TRIES = regex(r"^(?:sudo )?(?:kubectl|helm|oc|kustomize|serverless|sls|wrangler)\b.*\s--dry-?run\b(?!=none)")
_MAY_DEPLOY = regex(
    r"\.sh\b|\b(?:ssh|scp|rsync|curl|make|npm|yarn|pnpm|python3?|node|terraform|aws|gcloud|az|argocd|flux)\b"
)
_CALLED = regex(r"test|e2e|check|verify|preview|smoke|dry|local", re.I)


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
