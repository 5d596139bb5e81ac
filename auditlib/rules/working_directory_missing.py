"""A step runs in a folder that the repository lacks.

The runner can't start the step: the job fails before its first command, each time.

Anti-pattern:

    defaults:
      run:
        working-directory: ./api      # the folder is called backend

Better:

    defaults:
      run:
        working-directory: backend

Recommendation:

    Name the folder as it is now.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsworking-directory
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import matrices
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every folder that a job's steps run in or change to, and that neither the repository nor a step provides."""
    for workflow in inventory.workflows:
        missing: defaultdict[str, list[Location]] = defaultdict(list)
        for job in workflow.jobs:
            for folder, location in _missing(Workspace(inventory, job), job):
                missing[folder].append(location)
        for folder, places in missing.items():
            yield _evidence(inventory, workflow.file, folder, list(dict.fromkeys(places)))


_INPUTS = frozenset({"working-directory", "working_directory", "workingDirectory"})
"""By which actions are told where to run."""


def _missing(workspace: Workspace, job: Job) -> Iterator[tuple[str, Location]]:
    for step in job.steps:
        for pair in step.inputs:
            if (
                pair.name in _INPUTS
                and workspace.holds_repository
                and workspace.lacks(normal(pair.value), step, "folder")
            ):
                yield normal(pair.value), pair.location
        own = step.working_directory or (job.working_directory if step.run else "")
        first = step.commands[0] if step.commands else None
        lost = [] if "matrix." in step.condition else [
            folder for folder in matrices.filled(own, job) if folder and workspace.lacks(folder, step, "folder")
            and not (first and workspace.may_hold_more(step, first, normal(folder)))
        ]  # fmt: skip
        if lost:
            yield from ((normal(folder), step.location) for folder in lost)
            continue
        for command in step.commands:
            folder = workspace.folder(step, command)
            made = workspace.may_hold_more(step, command)
            if command.folder and not made and workspace.lacks(folder, step, "folder"):
                yield folder, command.location
                break


def _evidence(inventory: Inventory, file: str, folder: str, places: list[Location]) -> Evidence:
    first, *others = places
    near = difflib.get_close_matches(folder, sorted(inventory.folder_set), n=1, cutoff=0.75)
    advice = f"Write {near[0]} for {folder}" if near else f"Name a folder that exists in place of {folder}"
    return Evidence(
        f"{file} runs commands in {folder}, and the repository has no such folder.",
        first,
        subject=folder,
        related=tuple(Related(place, f"runs in {folder} too", member=True) for place in others),
        recommendation=f"{advice} in {file}.",
        change=(folder, near[0]) if near else ("", ""),
        example=files.into(file, f"working-directory: {near[0] if near else '<the folder as it is called now>'}"),
    )
