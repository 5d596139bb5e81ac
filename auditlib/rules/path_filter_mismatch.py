"""A workflow's filter of paths leaves out what its jobs work on.

GitHub starts the workflow only where a changed file matches a pattern of `paths`. A pattern that was right before a
folder was renamed matches nothing: the workflow no longer starts, and nobody sees a check that isn't there. One that
names the code and not the folder that is tested lets a change of the latter through.

Anti-pattern:

    on:
      pull_request:
        paths: ["server/**"]     # the folder is called backend now
    jobs:
      test:
        defaults: {run: {working-directory: backend}}

Better:

    on:
      pull_request:
        paths: ["backend/**", ".github/workflows/backend.yml"]

Recommendation:

    Name the folders that the jobs work in, and the workflow's own file.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onpushpull_requestpull_request_targetpathspaths-ignore
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import workflow_events
from auditlib.conventions.workspaces import GENERATED
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Trigger, Workflow
from auditlib.listing import VENDORED
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLAIN = regex(r"[\w@.-]+(?:/[\w@.-]+)*")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each filter none of whose patterns has a file, and each that leaves out a folder in which jobs work."""
    for workflow in inventory.workflows:
        for trigger in workflow.triggers:
            wanted = [item for item in trigger.paths if not item.startswith(("!", ".github/"))]
            if not wanted or trigger.tags:  # a push of a tag passes any filter of paths
                continue
            others = (path for path in inventory.files if not path.startswith(".github/"))
            if not any(workflow_events.passes(path, trigger.paths) for path in others):
                if ".gitmodules" not in inventory.file_set and not any(map(_is_unknown, wanted)):
                    yield _of_nothing(workflow, trigger, wanted)
            elif missed := _missed(inventory, workflow, trigger):
                yield _of_folders(workflow, trigger, missed)


def _is_unknown(pattern: str) -> bool:
    """Whether a pattern means folders whose files aren't looked at, or is written as GitHub may not read it."""
    return bool(VENDORED & set(pattern.split("/"))) or any(sign in pattern for sign in "{(")


def _missed(inventory: Inventory, workflow: Workflow, trigger: Trigger) -> dict[str, Location]:
    """The folders in which jobs work and of which no file at all passes the filter."""
    missed: dict[str, Location] = {}
    for job in workflow.jobs:
        for folder, place in _folders(job):
            inside = [path for path in inventory.files if path.startswith(f"{folder}/")]
            passing = any(workflow_events.passes(path, trigger.paths) for path in inside)
            if inside and not passing and not GENERATED & set(folder.split("/")):
                missed.setdefault(folder, place)
    return missed


def _folders(job: Job) -> Iterator[tuple[str, Location]]:
    """The folders that steps run in, and the contexts that they build."""
    for step in job.steps:
        contexts = [pair.value for pair in step.inputs if pair.name == "context" and "build-push" in step.uses]
        for folder in (step.working_directory, job.working_directory if step.run else "", *contexts):
            path = normal(folder) if folder else ""
            if path and _PLAIN.fullmatch(path):
                yield path, step.location


def _of_nothing(workflow: Workflow, trigger: Trigger, wanted: list[str]) -> Evidence:
    own = ", or what lies in .github" if any(item.startswith(".github/") for item in trigger.paths) else ""
    return Evidence(
        f"{workflow.file} starts on {trigger.event} only where {listed((f'`{item}`' for item in wanted), limit=4)} "
        f"{'changes' if len(wanted) == 1 else 'change'}{own}, and the repository has no such file: that never happens.",
        trigger.location,
        subject=f"{workflow.file}/{trigger.event}/paths",
        recommendation=f"Name the folders that there are in `paths` of {workflow.file}.",
        example=files.into(workflow.file, f'on:\n  {trigger.event}:\n    paths: ["<a folder that there is>/**"]'),
    )


def _of_folders(workflow: Workflow, trigger: Trigger, missed: dict[str, Location]) -> Evidence:
    patterns = ", ".join(f'"{item}"' for item in (*trigger.paths, *(f"{folder}/**" for folder in missed)))
    return Evidence(
        f"The jobs of {workflow.file} work in {listed(missed)}, and its `paths` for {trigger.event} leave "
        f"{'that' if len(missed) == 1 else 'these'} out: a change there starts no run on {trigger.event}.",
        trigger.location,
        subject=f"{workflow.file}/{trigger.event}/{'/'.join(missed)}",
        related=tuple(Related(place, f"works in {posixpath.normpath(folder)}") for folder, place in missed.items()),
        recommendation=f"Add {listed((f'`{folder}/**`' for folder in missed), limit=3)} to `paths` of {workflow.file}.",
        severity=Severity.LOW,
        example=files.into(workflow.file, f"on:\n  {trigger.event}:\n    paths: [{patterns}]"),
    )
