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
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every step with neither `run` nor `uses`."""
    for job in inventory.jobs:
        for step in job.steps:
            if not step.run and not step.uses:
                yield Evidence(
                    f"The step {step.name or step.index + 1} of the job {job.id} has neither `run` nor `uses`: GitHub "
                    f"refuses {job.workflow}.",
                    step.location,
                    subject=f"{job.id}/{step.name or step.index}",
                    related=(Related(job.location, f"the job {job.id}"),),
                    recommendation=f"Join the step with the one after it, or remove it from {job.workflow}.",
                )
