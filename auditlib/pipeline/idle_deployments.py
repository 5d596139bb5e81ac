"""Jobs called deployments that deploy nothing: by a script that only prints, or by commands that only try."""

from __future__ import annotations

import posixpath
import re

from auditlib import pipeline
from auditlib.command_words import SHELLS
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Script, Step
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


def script(inventory: Inventory, job: Job) -> tuple[Script, Command] | None:
    """The script that a job calls, and the call, where it and the job's other steps do nothing but print."""
    found: list[tuple[Script, Command]] = []
    for step in job.steps:
        for command in () if deployment.is_idle(step) else step.commands or (None,):
            script = _called_script(inventory, step, command) if command else None
            if command and script and _prints_only(script):
                found.append((script, command))
            elif command is None or not deployment.prints(command):
                return None
    return found[0] if found else None


def _called_script(inventory: Inventory, step: Step, command: Command) -> Script | None:
    """The script of the repository that a command starts by its path, or gives to a shell."""
    words = [word for word in command.words if word not in SHELLS and not word.startswith("-")]
    path = posixpath.join(step.working_directory, command.folder, words[0]) if words else ""
    return inventory.scripts_by_path.get(normal(path))


def _prints_only(script: Script) -> bool:
    commands = [item for item in script.commands if item.words[:1] not in (("set",), ("cd",), ("exit",), ("export",))]
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
