"""A job waits for a job that its workflow lacks.

GitHub refuses the whole workflow file, not the job alone: no check runs any more, and pull requests show no failure,
because nothing was started that could fail.

Anti-pattern:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps: [...]
      deploy:
        needs: tests        # the job is called test

Better:

    jobs:
      test:
        runs-on: ubuntu-latest
        steps: [...]
      deploy:
        needs: test

Recommendation:

    Correct the name under `needs`, or remove it; actionlint finds such names before they are pushed.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
- https://github.com/rhysd/actionlint
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job whose `needs` names no job of its workflow."""
    for workflow in inventory.workflows:
        jobs = {job.id.lower(): job for job in workflow.jobs}
        for job in workflow.jobs:
            unknown = [name for name in job.needs if name.lower() not in jobs and "${{" not in name]
            if unknown:
                yield _evidence(workflow, job, unknown)


def _evidence(workflow: Workflow, job: Job, unknown: list[str]) -> Evidence:
    ids = {other.id: other for other in workflow.jobs if other is not job}
    near = difflib.get_close_matches(unknown[0], ids, n=1)
    right = [near[0] if near and name == unknown[0] else name for name in job.needs]
    kept = [name for name in dict.fromkeys(right) if name not in unknown]
    advice = f"Write `{near[0]}`" if near else f"Remove `{unknown[0]}`"
    return Evidence(
        f"The job {job.id} needs {listed(unknown)}, which {workflow.file} doesn't have: none of its jobs runs.",
        job.location,
        subject=f"{job.id}/{'/'.join(unknown)}",
        related=tuple(Related(ids[name].location, "the job that may be meant") for name in near),
        recommendation=f"{advice} under `needs` of the job {job.id}.",
        change=(unknown[0], near[0]) if near else ("", ""),
        example=workflow_lines.of_job(
            workflow.file, job.id, f"needs: [{', '.join(kept)}]" if kept else "# without `needs`"
        ),
    )
