"""The search for leaked secrets sees the newest commit alone.

`actions/checkout` fetches one commit unless it is told otherwise. A secret that was committed and removed again is in
the history, where everybody who clones the repository finds it, and the search doesn't.

Anti-pattern:

    - uses: actions/checkout@v4
    - uses: gitleaks/gitleaks-action@v2

Better:

    - uses: actions/checkout@v4
      with:
        fetch-depth: 0
    - uses: gitleaks/gitleaks-action@v2

Recommendation:

    Check out the whole history for the job that looks for secrets.

References:

- https://github.com/gitleaks/gitleaks-action
- https://github.com/trufflesecurity/trufflehog#octocat-trufflehog-github-action
- https://github.com/actions/checkout#fetch-all-history-for-all-tags-and-branches
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions.workspaces import is_checkout
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_ACTION = regex(r"^(?:gitleaks/gitleaks-action|trufflesecurity/trufflehog|zricethezav/gitleaks-action)@")
_OF_EVENT = regex(r"^(?:gitleaks|zricethezav)/gitleaks-action@")
_COMMAND = regex(
    r"\bgitleaks\s+(?:detect|git)\b(?!.*\s--(?:no-git|log-opts|staged|pre-commit)\b)|\btrufflehog\s+git\s+file://|\bggshield\s+secret\s+scan\s+repo\b"
)


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that looks for secrets in the history of a checkout that has none, where no other one has it."""
    found = [item for job in inventory.jobs if (item := _scan(job))]
    if all(not _fetches(job, checkout) for job, checkout, _ in found):
        for job, checkout, step in found:
            yield _evidence(job, checkout, step, narrow=_is_narrow(inventory, job, step))


def _scan(job: Job) -> tuple[Job, Step, Step] | None:
    """The first search of a job, with the checkout that it looks through."""
    checkout: Step | None = None
    for step in job.steps:
        if is_checkout(step):
            checkout = step
        elif checkout and _scans(step):
            return job, checkout, step
    return None


def _scans(step: Step) -> bool:
    texts = (" ".join(command.words) for command in step.commands)
    return bool(_ACTION.search(step.uses)) or any(_COMMAND.search(text) for text in texts)


def _fetches(job: Job, checkout: Step) -> bool:
    """Whether the job gets more than one commit."""
    deep = any(pair.name == "fetch-depth" and pair.value != "1" for pair in checkout.inputs)
    other = any(pair.name == "repository" for pair in checkout.inputs)
    return deep or other or any("--unshallow" in step.run or "--depth" in step.run for step in job.steps)


def _is_narrow(inventory: Inventory, job: Job, step: Step) -> bool:
    """Whether the action looks at the commits of a push or pull request alone, as no schedule or person starts it."""
    own = [workflow for workflow in inventory.workflows if workflow.file == job.workflow]
    events = {item.event for workflow in own for item in workflow.triggers}
    return _OF_EVENT.search(step.uses) is not None and events.isdisjoint({"schedule", "workflow_dispatch"})


def _evidence(job: Job, checkout: Step, step: Step, *, narrow: bool) -> Evidence:
    lines = workflow_lines.step(job.workflow, job.id, f"- uses: {checkout.uses}\n  with:\n    fetch-depth: 0")
    if narrow:
        first, _, rest = lines.partition("\n")
        lines = f'{first}\non:\n  schedule: [{{cron: "17 3 * * 1"}}]  # beside its triggers\n{rest}'
    return Evidence(
        f"The job {job.id} looks for secrets in a checkout of one commit: what an older commit holds, and a later one "
        "removed, is not found.",
        step.location,
        subject=job.id,
        related=(Related(checkout.location, "fetches the newest commit alone"),),
        recommendation=f"Give the checkout of the job {job.id} `fetch-depth: 0`"
        + (", and start it by `schedule` too, where the action looks at all commits." if narrow else "."),
        example=lines,
    )
