"""A job reads a file that only another job makes.

Each job has a folder of its own that is thrown away at its end. What an earlier one wrote isn't there, unless it was
uploaded and is downloaded again: the step fails, or takes a report that is missing for one without findings.

Anti-pattern:

    train:
      steps:
        - run: python train.py > metrics.json
    gate:
      needs: train
      steps:
        - run: python gate.py metrics.json

Better:

    train:
      steps:
        - run: python train.py > metrics.json
        - uses: actions/upload-artifact@v4
          with: {name: metrics, path: metrics.json}
    gate:
      needs: train
      steps:
        - uses: actions/download-artifact@v4
          with: {name: metrics}

Recommendation:

    Upload the file in the job that makes it, and download it in the one that reads it.

References:

- https://docs.github.com/en/actions/tutorials/store-and-share-data
- https://github.com/actions/download-artifact#usage
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_FILE = regex(
    r"(?:\./)?(?:[\w-]+/){0,6}[\w-][\w.-]*\.(?:json|xml|txt|csv|env|sarif|log|sql|tar|tgz|gz|zip|ya?ml|md|html|pkl|"
    r"joblib|onnx|out|info)"
)
_OUTPUTS = frozenset({"-o", "--output", "--out", "--output-file", "--report-path", "--outfile", "--json-output"})
_BRINGS = regex(
    r"download-artifact|actions/cache|artifact|s3|gsutil|gcloud|\bgh (?:run|release) download|rsync|scp|dvc|curl|wget"
)
"""What may bring a file from another job."""
_PUSHES = regex(r"\bgit push|auto-commit|add-and-commit|create-pull-request|push-action")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file that the commands of a job name, that the repository lacks and that another job alone writes."""
    for workflow in inventory.workflows:
        several = len(workflow.jobs) > 1
        made = {job.id: {} if _pushes(job) else dict(_made(job)) for job in workflow.jobs} if several else {}
        for job in workflow.jobs if any(made.values()) else ():
            if not _brings(job):
                yield from _of_job(inventory, workflow, job, made)


def _brings(job: Job) -> bool:
    return any(_BRINGS.search(f"{step.uses} {step.run}") for step in job.steps)


def _pushes(job: Job) -> bool:
    """Whether a job writes to the repository, from which the next one checks out what it made."""
    return any(_PUSHES.search(f"{step.uses} {step.run}") for step in job.steps)


def _made(job: Job) -> Iterator[tuple[str, Location]]:
    """The files that the commands of a job write, each with its place."""
    for step in job.steps:
        for command in step.commands:
            named = [value for option, value in pairwise(command.words) if option in _OUTPUTS]
            named += [word.partition("=")[2] for word in command.words if word.partition("=")[0] in _OUTPUTS]
            named += command.words[1:] if command.words[:1] == ("tee",) else ()
            for word in (*command.writes, *named):
                if _FILE.fullmatch(word):
                    yield normal(word), command.location


def _of_job(
    inventory: Inventory, workflow: Workflow, job: Job, made: dict[str, dict[str, Location]]
) -> Iterator[Evidence]:
    workspace = Workspace(inventory, job)
    told: set[str] = set()
    for step in job.steps:
        for command in step.commands:
            for path in _read(command):
                maker = next((other for other in made if other != job.id and path in made[other]), "")
                if maker and path not in made[job.id] and path not in told and _lacks(workspace, path, step, command):
                    told.add(path)
                    yield _evidence(workflow, job, command, path, maker, made[maker][path])


def _lacks(workspace: Workspace, path: str, step: Step, command: Command) -> bool:
    """Whether a file isn't there; `cat` reads one, where nothing else of the job names it."""
    if workspace.may_hold_more(step, command):
        return False
    if command.words[:1] != ("cat",) or not workspace.holds_repository or workspace.has(path):
        return workspace.lacks(path, step)
    commands = (item for each in workspace.job.steps for item in each.commands)
    others = (item for item in commands if item.words[:1] not in (("cat",), ("jq",)))
    return not any(posixpath.basename(path) in " ".join((*item.words, *item.writes)) for item in others)


def _read(command: Command) -> Iterator[str]:
    """The files that a command is given, and that it doesn't write."""
    if command.conditional or command.words[:1] in (("echo",), ("printf",), ("rm",), ("test",), ("[",), ("git",)):
        return
    for word in command.words[1:]:
        value = word.rpartition("=")[2]
        if _FILE.fullmatch(value) and value not in command.writes:
            yield normal(value)


def _evidence(workflow: Workflow, job: Job, command: Command, path: str, maker: str, place: Location) -> Evidence:
    name = posixpath.basename(path).partition(".")[0]
    return Evidence(
        f"The job {job.id} reads {path}, which only the job {maker} makes, and nothing brings it from there: each job "
        "begins with what is in the repository.",
        command.location,
        subject=f"{workflow.file}/{job.id}/{path}",
        related=(Related(place, f"{maker} writes it"),),
        recommendation=f"Upload {path} in the job {maker}, and download it in the job {job.id}.",
        severity=Severity.MEDIUM if command.cannot_fail else None,
        example=workflow_lines.step(
            workflow.file, job.id, f"- uses: actions/download-artifact@v4   # after an upload in {maker}\n"
            f"  with: {{name: {name}, path: {posixpath.dirname(path) or '.'}}}"
        ),
    )  # fmt: skip
