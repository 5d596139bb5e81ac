"""A job logs in to a registry for pull requests that get no secrets.

GitHub gives the secrets of a repository neither to pull requests from forks nor to those of Dependabot. The login fails
with "username and password required", and with it the build that was to check the change.

Anti-pattern:

    on: [push, pull_request]
    jobs:
      image:
        steps:
          - uses: docker/login-action@v3
            with: {username: "${{ secrets.HUB_USER }}", password: "${{ secrets.HUB_TOKEN }}"}
          - uses: docker/build-push-action@v6
            with: {push: "${{ github.event_name != 'pull_request' }}"}

Better:

    - uses: docker/login-action@v3
      if: github.event_name != 'pull_request'

Recommendation:

    Log in only where the job pushes.

References:

- https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets
- https://docs.github.com/en/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
- https://github.com/docker/login-action#usage
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SECRET = regex(r"\bsecrets\.(?!GITHUB_TOKEN\b)\w+")
_CONDITION = "github.event_name != 'pull_request'"


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every login with a secret in a job that pull requests start, and that pushes nothing from these."""
    for workflow in inventory.workflows:
        if not workflow_events.runs_for_pull_requests(workflow):
            continue
        for job in workflow.jobs:
            needed = [other for other in workflow.jobs if other.id in job.needs]
            step = None if job.condition or any(item.condition for item in needed) else _login(workflow, job)
            if step and _builds_alone(job):
                yield _evidence(workflow, job, step)


def _login(workflow: Workflow, job: Job) -> Step | None:
    """The login that nothing keeps from failing where there is no secret."""
    for step in job.steps:
        texts = [step.run, *(pair.value for pair in (*step.inputs, *step.env))]
        logs_in = step.uses.startswith("docker/login-action@") or "docker login" in step.run
        if logs_in and any(map(_SECRET.search, texts)) and not (step.condition or step.continue_on_error):
            return step
    return None


def _builds_alone(job: Job) -> bool:
    """Whether the job builds an image and pushes it in some cases alone, so that others are to pass as well.

    Where it never pushes, the login is for what is pulled.
    """
    builds = [step for step in job.steps if "build-push-action" in step.uses]
    pushes = [{pair.name: pair.value for pair in step.inputs}.get("push", "false") for step in builds]
    return any("${{" in push for push in pushes) and all("${{" in push or push == "false" for push in pushes)


def _evidence(workflow: Workflow, job: Job, step: Step) -> Evidence:
    trigger = next(item for item in workflow.triggers if item.event == "pull_request")
    return Evidence(
        f"The job {job.id} logs in with a secret on pull requests too, from which it pushes nothing: those of forks "
        "and of Dependabot get no secrets, and fail here.",
        step.location,
        subject=f"{workflow.file}/{job.id}",
        related=(Related(trigger.location, "pull requests start it"),),
        recommendation=f"Add `if: {_CONDITION}` to the login of the job {job.id}.",
        example=workflow_lines.step(
            workflow.file, job.id, f"- uses: {step.uses or 'docker/login-action@v3'}\n  if: {_CONDITION}"
        ),
    )
