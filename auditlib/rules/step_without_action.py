"""A step of a workflow does nothing that GitHub knows.

A step needs `run` or `uses`. With neither, mostly because a line begins a step of its own by a dash too many, GitHub
refuses the whole workflow: none of its jobs starts.

Anti-pattern:

    steps:
      - name: Checkout
      - uses: actions/checkout@v4

Better:

    steps:
      - name: Checkout
        uses: actions/checkout@v4

Recommendation:

    Join the step with the one that it was meant for, or remove it.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idsteps
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every step with neither `run` nor `uses`."""
    for job in inventory.jobs:
        for step in job.steps:
            if not step.run and not step.uses:
                yield _evidence(job, step)


def _evidence(job: Job, step: Step) -> Evidence:
    name = step.name or str(step.index + 1)
    return Evidence(
        f"The step {name} of the job {job.id} has neither `run` nor `uses`: GitHub refuses {job.workflow}.",
        step.location,
        subject=f"{job.id}/{step.name or step.index}",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Join the step with the one after it, or remove it from {job.workflow}.",
        example=workflow_lines.step(job.workflow, job.id, _joined(job, step)),
    )


def _joined(job: Job, step: Step) -> str:
    """The step with what a nameless one after it does, which was probably meant to be one with it."""
    after = next((item for item in job.steps[step.index + 1 :][:1] if not item.name), None)
    uses = after.uses if after else ""
    return f"- name: {step.name or '<name>'}\n  {f'uses: {uses}' if uses else 'run: <command>'}"
