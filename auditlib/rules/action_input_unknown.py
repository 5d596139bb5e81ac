"""A step gives an action an input that it doesn't have.

GitHub writes a warning into the log, runs the action without it, and the step is green. What the line was to bring
about (the whole history, a version, an option of a scan) doesn't happen.

Anti-pattern:

    - uses: actions/checkout@v4
      with:
        fetch_depth: 0

Better:

    - uses: actions/checkout@v4
      with:
        fetch-depth: 0

Recommendation:

    Write the input as the action's documentation has it, or remove it.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepswith
- https://github.com/gitleaks/gitleaks-action#environment-variables
- https://github.com/grafana/setup-k6-action#inputs
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import action_inputs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Pair, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each step with such inputs of an action that is well known."""
    for job in inventory.jobs:
        for step in job.steps:
            if found := [pair for pair in step.inputs if action_inputs.unknown(step.uses, pair.name)]:
                yield _evidence(job, step, found)


def _evidence(job: Job, step: Step, found: list[Pair]) -> Evidence:
    first, *others = found
    action, names = step.uses.partition("@")[0], listed(f"`{pair.name}`" for pair in found)
    meant = action_inputs.meant(step.uses, first.name)
    kept = [pair for pair in step.inputs if pair not in found]
    lines = "".join(f"\n    {pair.name}: {pair.value}" for pair in kept)
    lines += f"\n    {meant}: {first.value}" if meant else ""
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {job.id} gives {action} {names}, which it doesn't know: "
        "GitHub warns, and the action runs without.",
        first.location,
        subject=f"{job.id}/{step.name or step.index}/{first.name}",
        related=tuple(Related(pair.location, f"`{pair.name}` isn't known either", member=True) for pair in others),
        recommendation=f"Write `{meant}` in place of `{first.name}` in {job.workflow}."
        if meant
        else f"Remove {names} in {job.workflow}, or give what it was to do as {action} documents it.",
        example=files.into(job.workflow, f"- uses: {step.uses}" + (f"\n  with:{lines}" if lines else "")),
    )
