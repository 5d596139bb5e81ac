"""A deployment starts by itself, and nothing has to pass before it.

Neither tests that must succeed nor an approval stand between a push and the users. A broken commit is live as fast as
a good one.

Anti-pattern:

    on:
      push:
        branches: [main]
    jobs:
      test: {...}
      deploy:              # runs beside the tests, not after them
        steps:
          - run: ./deploy.sh

Better:

    jobs:
      test: {...}
      deploy:
        needs: test
        environment: production      # with required reviewers
        steps:
          - run: ./deploy.sh

Recommendation:

    Let the deployment need the tests, and give it an environment in which somebody approves it.

References:

- https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idneeds
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import checks, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_DEPLOYS = regex(
    r"^(?:\S+\s+){0,3}(?:kubectl\s+(?:\S+\s+)*(?:apply|set\s+image|rollout)|helm\s+(?:\S+\s+)*(?:upgrade|install)|"
    r"docker\s+stack\s+deploy|docker\s+service\s+update|fly(?:ctl)?\s+deploy|terraform\s+apply|pulumi\s+up|"
    r"serverless\s+deploy|sls\s+deploy|cdk\s+deploy|ansible-playbook|gcloud\s+(?:run|app)\s+deploy|kamal\s+deploy|"
    r"aws\s+ecs\s+update-service|eb\s+deploy|vercel\s+(?:\S+\s+)*--prod|railway\s+up|fastapi\s+deploy|wrangler\s+deploy|"
    r"heroku\s+container:release|firebase\s+deploy|aws\s+ssm\s+send-command|netlify\s+deploy|az\s+webapp\s+(?:up|deploy)|copilot\s+deploy)\b"
)
_BY_SSH = regex(
    r"^(?:\S{1,99}\s+){0,3}(?:(?:scp|rsync)\s.{0,300}?\s\S{1,99}@.{1,99}:|"
    r"ssh\s.{0,300}?\S@.{0,300}?\s(?:docker|systemctl\s+(?:re)?start|pm2|git\s+pull|supervisorctl)\b)"
)
"""What is copied to a server, or started on it."""
_DEPLOYING_ACTION = regex(
    r"amazon-ecs-deploy|deploy-cloudrun|webapps-deploy|k8s-deploy|container-apps-deploy|flyctl-actions|heroku-deploy|"
    r"appleboy/ssh-action|ssm-send-command|app_action/deploy|wrangler-action|vercel-action|railway-deploy|kamal",
    re.I,
)
_TRIES = regex(r"\s--?dry-?run\b")
_DEPLOY_SCRIPT = regex(r"(?:^|[\s/])(?:deploy|rollout)(?:[-_]\w+)?\.(?:sh|py)(?=\s|$)")
_ASKS_OTHERS = regex(r"wait-?(?:for|on)-(?:status-)?check|wait-on-check|manual-approval|lewagon|github-script", re.I)
_FOR_ONE_REQUEST = regex(
    r"event_name|github\.ref|GITHUB_REF|github\.event|head_ref|GITHUB_HEAD|vercel|netlify|wrangler|railway|firebase",
    re.I,
)
"""What asks for the event, names what is deployed by the pull request, or makes a preview of one by itself."""
_PREVIEW = regex(r"preview|storybook|docs?\b|pages|sandbox|review-?app|demo|plan", re.I)


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that a push starts and that deploys with no check and no approval, or that a pull request starts."""
    for workflow in inventory.workflows:
        if workflow_events.is_started_by_person(workflow):
            continue
        runs = pipeline.of(inventory, [workflow])
        for job in workflow.jobs:
            place = _deploys(job, runs.of_job(job))
            if place and _follows_requests(workflow, job):
                yield _of_request(workflow, job, place)
            elif place and _follows_pushes(workflow) and not _is_gated(workflow, job, (*runs.runs, *runs.opaque)):
                yield _evidence(inventory, workflow, job, place)


def _follows_pushes(workflow: Workflow) -> bool:
    return any(trigger.event == "push" for trigger in workflow.triggers)


def _follows_requests(workflow: Workflow, job: Job) -> bool:
    """Whether pull requests start a job, and nothing asks what started it, nor whom the deployment is for."""
    before = [job, *(other for other in workflow.jobs if other.id in _all_needed(workflow, job))]
    if any(item.condition or item.environment or item.uses for item in before):
        return False
    texts = [f"{step.uses} {step.condition} {step.run}" for step in job.steps]
    inputs = [pair.value for step in job.steps for pair in step.inputs]
    return workflow_events.runs_for_pull_requests(workflow) and not _FOR_ONE_REQUEST.search("\n".join(texts + inputs))


def _deploys(job: Job, runs: list[Run]) -> Location | None:
    """Where a job deploys, if it does, and if what it deploys is no preview and no documentation."""
    if _PREVIEW.search(f"{job.id} {job.name} {job.workflow.rpartition('/')[2]}"):
        return None
    for run in runs:
        if not _TRIES.search(run.text) and (
            _DEPLOYS.search(run.text) or _BY_SSH.search(run.text) or _DEPLOY_SCRIPT.search(run.text)
            or _DEPLOYING_ACTION.search(run.text.partition(" ")[0])
        ):  # fmt: skip
            return run.location
    return None


def _is_gated(workflow: Workflow, job: Job, runs: tuple[Run, ...]) -> bool:
    before = [other for other in workflow.jobs if other.id in _all_needed(workflow, job)]
    if job.environment or any(other.environment or other.uses for other in before):
        return True
    if workflow_events.wishes(job.condition) and all(
        wish.tag or wish.event in ("workflow_dispatch", "release") for wish in workflow_events.wishes(job.condition)
    ):
        return True
    mine = [run for run in runs if run.job is job or run.job in before]
    return any(checks.is_check(run.text.split()) or _ASKS_OTHERS.search(run.text) for run in mine)


def _all_needed(workflow: Workflow, job: Job) -> set[str]:
    jobs = {item.id: item for item in workflow.jobs}
    found: set[str] = set()
    waiting = list(job.needs)
    while waiting:
        name = waiting.pop()
        if name in jobs and name not in found:
            found.add(name)
            waiting += jobs[name].needs
    return found


def _of_request(workflow: Workflow, job: Job, place: Location) -> Evidence:
    trigger = next(item for item in workflow.triggers if item.event == "pull_request")
    return Evidence(
        f"The job {job.id} deploys on each pull request: what nobody has approved or merged yet runs in the place that "
        "it deploys to.",
        place,
        subject=job.id,
        related=(Related(trigger.location, "pull requests start it"),),
        recommendation=f"Let the job {job.id} of {workflow.file} run only if `github.event_name == 'push'`, and give "
        "it an `environment`.",
        example=workflow_lines.of_job(
            workflow.file, job.id, "if: github.event_name == 'push'\nenvironment: production"
        ),
    )


def _gate(job: Job, needs: list[str]) -> str:
    waits = f"    needs: [{', '.join(dict.fromkeys(needs))}]\n" if needs else ""
    return f"jobs:\n  {job.id}:\n{waits}    environment: production  # with reviewers, in the repository's settings"


def _evidence(inventory: Inventory, workflow: Workflow, job: Job, place: Location) -> Evidence:
    trigger = next(item for item in workflow.triggers if item.event == "push")
    tests = [
        other for other in inventory.jobs
        if other is not job and any(checks.is_check(item.words) for step in other.steps for item in step.commands)
    ]  # fmt: skip
    same = [other for other in tests if other.workflow == workflow.file]
    first = f"Add `needs: {same[0].id}` and an `environment`" if same else "Add an `environment` with reviewers"
    return Evidence(
        f"The job {job.id} deploys on each push, and neither a check nor an approval comes before it, unless the "
        "rules of the branch demand both.",
        place,
        subject=job.id,
        related=(
            Related(trigger.location, "a push starts it"),
            *(
                Related(other.location, f"the job {other.id} checks, and the deployment doesn't wait for it")
                for other in (same or tests)[:3]
            ),
        ),
        recommendation=f"{first} to the job {job.id} of {workflow.file}.",
        example=_gate(job, [*job.needs, *(other.id for other in same[:1])]),
    )
