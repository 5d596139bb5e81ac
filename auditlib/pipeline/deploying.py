"""Which jobs deploy or publish, and what stands before them: checks, approvals, the jobs that they wait for."""

from __future__ import annotations

import re

from auditlib.conventions import checks, workflow_events
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline import Run

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
_TAKES_DOWN = regex(r"^docker[ -]compose\s(?:\S+\s){0,20}down\b")
ASKS_OTHERS = regex(r"wait-?(?:for|on)-(?:status-)?check|wait-on-check|manual-approval|lewagon|github-script", re.I)
_PREVIEW = regex(r"preview|storybook|docs?\b|pages|sandbox|review-?app|demo|plan", re.I)


def place(job: Job, runs: list[Run]) -> Location | None:
    """Where a job deploys, if it does, and if what it deploys is no preview and no documentation."""
    if is_preview(job):
        return None
    tries_here = _cleans_up(job)
    for run in runs:
        if not _TRIES.search(run.text) and (
            _DEPLOYS.search(run.text) or _BY_SSH.search(run.text)
            or (_DEPLOY_SCRIPT.search(run.text) and not tries_here)
            or _DEPLOYING_ACTION.search(run.text.partition(" ")[0])
        ):  # fmt: skip
            return run.location
    return None


def _cleans_up(job: Job) -> bool:
    """Whether a step takes services down again: a script for deployments is tried with those of the runner."""
    commands = (command for step in job.steps for command in step.commands)
    return any(_TAKES_DOWN.search(" ".join(command.words)) for command in commands)


def is_preview(job: Job) -> bool:
    """Whether a job is, by its name or its workflow's, about a preview or documentation."""
    return bool(_PREVIEW.search(f"{job.id} {job.name} {job.workflow.rpartition('/')[2]}"))


def is_gated(workflow: Workflow, job: Job, runs: tuple[Run, ...]) -> bool:
    """Whether a check or an approval comes before a job, or a person starts it."""
    wishes = workflow_events.wishes(job.condition)
    by_person = all(wish.tag or wish.event in ("workflow_dispatch", "release") for wish in wishes)
    return bool(wishes and by_person) or waits(workflow, job, runs)


def waits(workflow: Workflow, job: Job, runs: tuple[Run, ...]) -> bool:
    """Whether a check or an approval comes before a job."""
    before = [other for other in workflow.jobs if other.id in all_needed(workflow, job)]
    if job.environment or any(other.environment or other.uses for other in before):
        return True
    mine = [run for run in runs if run.job is job or run.job in before]
    return any(checks.is_check(run.text.split()) or ASKS_OTHERS.search(run.text) for run in mine)


def all_needed(workflow: Workflow, job: Job) -> set[str]:
    """The jobs that a job waits for, those too that these wait for."""
    jobs = {item.id: item for item in workflow.jobs}
    found: set[str] = set()
    waiting = list(job.needs)
    while waiting:
        name = waiting.pop()
        if name in jobs and name not in found:
            found.add(name)
            waiting += jobs[name].needs
    return found
