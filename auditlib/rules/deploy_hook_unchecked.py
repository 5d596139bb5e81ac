"""A deployment by a hook is green whatever the platform answers.

`curl` succeeds as soon as it has an answer, be that "401 Unauthorized", "404 Not Found" for a hook that was replaced,
or "500". The job is green, nothing was deployed, and the old version goes on running until somebody wonders.

Anti-pattern:

    - name: Deploy
      run: curl -X POST "$RENDER_DEPLOY_HOOK_URL"

Better:

    - name: Deploy
      run: curl --fail --silent --show-error --retry 3 -X POST "$RENDER_DEPLOY_HOOK_URL"

Recommendation:

    Give `curl` the option `--fail`, and afterwards ask the platform or the service itself which version runs.

References:

- https://curl.se/docs/manpage.html#-f
- https://render.com/docs/deploy-hooks
- https://vercel.com/docs/deploy-hooks
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deploy_hooks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all calls of a workflow that deploy and whose answer nobody looks at."""
    for workflow in inventory.workflows:
        found = [
            (job, step, command) for job in workflow.jobs for step, command in deploy_hooks.unchecked(job, workflow.env)
        ]
        if found:
            yield _evidence(workflow, found)


def _name(step: Step) -> str:
    return step.name or f"step {step.index + 1}"


def _evidence(workflow: Workflow, found: list[tuple[Job, Step, Command]]) -> Evidence:
    (job, step, command), *others = found
    names = listed(f"{_name(each)} (job {owner.id})" for owner, each, _ in found)
    calls = "calls" if len(found) == 1 else "call"
    return Evidence(
        f"{names} {calls} what deploys by `curl` without `--fail`, and nothing looks at the status: when the answer "
        "is an error, the step is green and nothing is deployed.",
        command.location,
        subject="/".join((job.id, _name(step))),
        related=tuple(
            Related(item.location, f"{_name(each)} (job {owner.id}) too", member=True) for owner, each, item in others
        ),
        recommendation=f"Add `--fail` to the `curl` of {names}.",
        change=("curl ", "curl --fail "),
        example=workflow_lines.step(workflow.file, job.id, f"- run: {_with_fail(command)}"),
    )


def _with_fail(command: Command) -> str:
    first, *rest = (f'"{word}"' if "$" in word or " " in word else word for word in command.words)
    return " ".join((first, "--fail", *rest))
