"""An action needs a right that the token of its run doesn't have.

`permissions` takes away every right that it doesn't name, and `id-token: write`, by which a run proves to a cloud
who it is, no run has without being given it. The action ends with "Resource not accessible by integration", or can't
get its token, after all the work before it.

Anti-pattern:

    permissions:
      contents: read
    jobs:
      deploy:
        steps:
          - uses: aws-actions/configure-aws-credentials@v4
            with: {role-to-assume: "arn:aws:iam::123456789012:role/deploy", aws-region: eu-central-1}

Better:

    jobs:
      deploy:
        permissions:
          contents: read
          id-token: write

Recommendation:

    Give the job that calls the action the right that it needs, and no other job.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
- https://docs.github.com/en/actions/concepts/security/openid-connect
- https://github.com/actions/deploy-pages#usage
- https://github.com/github/codeql-action/tree/main/upload-sarif
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import known_actions, token_rights
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each job one finding for all its actions whose rights its token lacks."""
    for workflow in inventory.workflows:
        if all(trigger.event == "workflow_call" for trigger in workflow.triggers):
            continue  # whoever calls it gives its rights
        for job in workflow.jobs:
            rights = token_rights.effective(workflow, job)
            steps = [step for step in job.steps if not step.continue_on_error and not _has_keys(workflow, job, step)]
            lacking = [(step, missing) for step in steps if (missing := token_rights.missing(step, rights))]
            if lacking and not known_actions.is_switched_off(job):
                yield _evidence(workflow, job, lacking, rights)


def _has_keys(workflow: Workflow, job: Job, step: Step) -> bool:
    """Whether a step that signs in to a cloud may have keys of the host, or of the environment, for it."""
    if "aws-actions/" not in step.uses and not step.uses.lower().startswith("azure/"):
        return False
    named = {pair.name for pair in (*workflow.env, *job.env, *step.env)}
    return not known_actions.is_on_fresh_runner(job) or "AWS_ACCESS_KEY_ID" in named


def _evidence(
    workflow: Workflow, job: Job, lacking: list[tuple[Step, tuple[str, ...]]], rights: token_rights.Rights | None
) -> Evidence:
    (first, _), *others = lacking
    names = list(dict.fromkeys(name for _, missing in lacking for name in missing))
    needed = listed(f"`{name}: write`" for name in names)
    allowed = ", ".join(level if name == "*" else f"{name}: {level}" for name, level in rights or ()) or "nothing"
    why = "no permissions are given it" if rights is None else f"its permissions are {allowed}"
    optional = not any(name in ("pages", token_rights.IDENTITY, "contents") for name in names)
    return Evidence(
        f"The job {job.id} calls {listed(step.uses.partition('@')[0] for step, _ in lacking)}, which needs {needed}, "
        f"and {why}: the step fails.",
        first.location,
        subject=f"{workflow.file}/{job.id}/{'/'.join(names)}",
        related=(
            *(Related(step.location, f"needs {listed(missing)} too", member=True) for step, missing in others),
            Related(job.location, f"{job.id} lacks the right"),
        ),
        recommendation=f"Give the job {job.id} {needed}.",
        severity=Severity.MEDIUM if optional else None,
        example=workflow_lines.of_job(workflow.file, job.id, f"permissions:\n{_lines(rights, names)}"),
    )


def _lines(rights: token_rights.Rights | None, names: list[str]) -> str:
    """The rights that a job has and needs; one that names any has no other."""
    kept = dict(rights) if rights is not None else {"contents": "read"}
    kept = {"contents": "read"} if "*" in kept else kept
    return "\n".join(f"  {name}: {level}" for name, level in (kept | dict.fromkeys(names, "write")).items())
