"""Two deployments may run at the same time.

Each push starts a run of its own, and nothing makes the second wait for the first. They change the same place at once,
or the older one, being slower, ends last: its version stays, though a newer one was merged.

Anti-pattern:

    jobs:
      deploy:
        steps:
          - run: ./deploy.sh

Better:

    jobs:
      deploy:
        concurrency:
          group: production
          cancel-in-progress: false
        steps:
          - run: ./deploy.sh

Recommendation:

    Give what deploys to one place one concurrency group, and let a run that has begun end.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import deploying
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_OF_ONE_RUN = regex(r"\bgithub\.(?:sha|run_id|run_number|run_attempt)\b|\bworkflow_run\.(?:id|head_sha)\b")
"""What is another in each run, so that a group by it has but one member."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each workflow that pushes to branches start, with the jobs that deploy outside of any concurrency group."""
    for workflow in inventory.workflows:
        if not _holds(workflow.concurrency) and _follows_branches(workflow):
            runs = pipeline.of(inventory, [workflow])
            starting = [job for job in workflow.jobs if not workflow_events.skipping_need(workflow, job)]
            free = [job for job in starting if not _holds(job.concurrency) and not deploying.is_chosen(job)]
            found = [(job, place) for job in free if (place := deploying.place(job, runs.of_job(job)))]
            if found:
                yield _evidence(workflow, found)


def _holds(group: str) -> bool:
    """Whether two runs of a workflow can be in a group."""
    return bool(group) and not _OF_ONE_RUN.search(group)


def _follows_branches(workflow: Workflow) -> bool:
    """Whether pushes to branches, or what these start, start it, and no workflow calls it, which may have a group."""
    pushed = any(
        item.event == "workflow_run" or (item.event == "push" and (item.branches or not item.tags))
        for item in workflow.triggers
    )
    return pushed and all(item.event != "workflow_call" for item in workflow.triggers)


def _evidence(workflow: Workflow, found: list[tuple[Job, Location]]) -> Evidence:
    (job, place), *others = found
    group = job.concurrency or workflow.concurrency
    lacks = "each run has a concurrency group of its own" if group else f"{workflow.file} has no concurrency group"
    return Evidence(
        f"The job {job.id} deploys on each push, and {lacks}: two pushes may deploy at the same time, and the older "
        "end last.",
        place,
        subject=job.id,
        related=tuple(Related(at, f"{other.id} deploys too", member=True) for other, at in others),
        recommendation=f"Give {'the workflow' if others else f'the job {job.id}'} a `concurrency` group with "
        "`cancel-in-progress: false`.",
        example=_example(workflow, job, alone=not others),
    )


def _example(workflow: Workflow, job: Job, *, alone: bool) -> str:
    """A group for the one job; for several one of the workflow, in which they don't take each other's place.

    Both have the workflow's name, as jobs of two workflows in one group would cancel each other.
    """
    group = f"${{{{ github.workflow }}}}-{job.id}" if alone else "${{ github.workflow }}-${{ github.ref }}"
    lines = f"concurrency:\n  group: {group}\n  cancel-in-progress: false"
    return workflow_lines.of_job(workflow.file, job.id, lines) if alone else f"# {workflow.file}\n{lines}"
