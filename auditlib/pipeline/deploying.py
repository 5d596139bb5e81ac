"""What deploys: jobs and scripts, and what stands before a job: checks, approvals, the jobs that it waits for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command, stages
from auditlib.conventions import checks, workflow_events
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Script, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.pipeline import Run

_DEPLOYS = regex(
    r"^(?:\S+\s+){0,3}(?:kubectl\s+(?:\S+\s+){0,60}(?:apply|set\s+image|rollout)|helm\s+(?:\S+\s+){0,60}(?:upgrade|install)|"
    r"docker\s+stack\s+deploy|docker\s+service\s+update|fly(?:ctl)?\s+deploy|terraform\s+apply|pulumi\s+up|"
    r"serverless\s+deploy|sls\s+deploy|cdk\s+deploy|ansible-playbook|gcloud\s+(?:run|app)\s+deploy|kamal\s+deploy|"
    r"aws\s+ecs\s+update-service|eb\s+deploy|vercel\s+(?:\S+\s+){0,60}--prod|railway\s+up|fastapi\s+deploy|wrangler\s+deploy|"
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
_ON_OWN_RUNNER = regex(r"\bdocker[ -]compose\b.{0,300}\sup\b.{0,300}\s(?:-d|--detach|--wait)\b")
_CALLED_DEPLOYMENT = regex(
    r"(?<![a-z])(?:re)?(?:deploy|deployment|release|rollout|ship|prod|production|live|cd)(?![a-z])", re.I
)
"""What a job on a machine of one's own starts, and what such a job is called."""
_TRIES = regex(r"\s--?dry-?run\b")
_DEPLOY_SCRIPT = regex(r"(?:^|[\s/])(?:deploy|rollout)(?:[-_]\w+)?\.(?:sh|py)(?=\s|$)")
_SCRIPT_NAME = regex(
    r"(?:^|[/_.-])(?:re)?(?:deploy|deployment|rollout|release|update|upgrade)(?:[_.-]\w+)*\.(?:sh|bash)$"
)
_RENEWS = regex(
    r"\s(?:artisan migrate|manage\.py migrate|alembic upgrade|prisma migrate deploy|composer (?:install|update)|"
    r"npm (?:ci|install|update)|db:migrate)\b"
)
_TRIAL = regex(r"(?i)test|smoke|e2e|bench|load|demo|dev|local|drill|restore")
ASKS_OTHERS = regex(r"wait-?(?:for|on)-(?:status-)?check|wait-on-check|manual-approval|lewagon|github-script", re.I)
_PREVIEW = regex(r"preview|storybook|docs?\b|pages|sandbox|review-?app|demo|plan", re.I)


class ServerScript(Struct, frozen=True):
    """Commands that bring a new version to a server: of a file (`path`), or of a job that has them run by SSH."""

    commands: tuple[Command, ...]
    path: str = ""
    job: Job | None = None
    step: Step | None = None

    @property
    def called(self) -> str:
        """What a sentence calls it."""
        return f"the job {self.job.id}" if self.job else self.path

    @property
    def subject(self) -> str:
        """What a finding in its file calls it."""
        return self.job.id if self.job else "script"


def server_scripts(inventory: Inventory) -> Iterator[ServerScript]:
    """What jobs have a server run by an action for SSH, and the shell scripts that by their names deploy."""
    for job in inventory.jobs:
        for step in job.steps:
            if step.remote:
                yield ServerScript(step.remote, job=job, step=step)
    for script in inventory.scripts:
        named = _SCRIPT_NAME.search(script.path) is not None
        if (named or _renews(script)) and not stages.is_for_development(script.path):
            yield ServerScript(script.commands, path=script.path)


def _renews(script: Script) -> bool:
    """Whether a script, whatever it is called, starts services for good and migrates or installs in them then."""
    started = False
    for command in script.commands:
        call = compose_command.of(command.words)
        started = started or (call is not None and call.verb == "up" and call.is_in_background)
        if started and _RENEWS.search(text := " ".join(command.words)) and (call or text.startswith("docker exec")):
            return not _TRIAL.search(script.path)
    return False


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
            or (_ON_OWN_RUNNER.search(run.text) and not tries_here and _is_on_own_machine(job))
        ):  # fmt: skip
            return run.location
    return None


def _is_on_own_machine(job: Job) -> bool:
    """Whether a job called a deployment runs on a machine of one's own, which it then is that it deploys to."""
    called = f"{job.id} {job.name} {job.workflow.rpartition('/')[2]} {job.environment}"
    return "self-hosted" in job.runs_on and bool(_CALLED_DEPLOYMENT.search(called))


def _cleans_up(job: Job) -> bool:
    """Whether a step takes services down again: a script for deployments is tried with those of the runner."""
    calls = (compose_command.of(command.words) for step in job.steps for command in step.commands)
    return any(call is not None and call.verb == "down" for call in calls)


def is_preview(job: Job) -> bool:
    """Whether a job is, by its name or its workflow's, about a preview or documentation."""
    return bool(_PREVIEW.search(f"{job.id} {job.name} {job.workflow.rpartition('/')[2]}"))


def is_gated(workflow: Workflow, job: Job, runs: tuple[Run, ...]) -> bool:
    """Whether a check or an approval comes before a job, or a person starts it."""
    return is_chosen(job) or waits(workflow, job, runs)


def is_chosen(job: Job) -> bool:
    """Whether a job runs, by its condition, only for what a person has chosen: a tag, a release, a start by hand."""
    wishes = workflow_events.wishes(job.condition)
    return bool(wishes) and all(wish.tag or wish.event in ("workflow_dispatch", "release") for wish in wishes)


_WHATEVER_HAPPENS = regex(r"\balways\(\)|!\s*cancelled\(\)")
_ASKS_HOW = regex(r"\bneeds\.|\b(?:success|failure)\(\)|\bresult\b|refs/tags|workflow_dispatch|inputs\.")


def ignores_failures(job: Job) -> bool:
    """Whether a job runs even if one that it needs has failed, and its condition doesn't ask how that ended."""
    condition = job.condition
    return bool(job.needs) and bool(_WHATEVER_HAPPENS.search(condition)) and not _ASKS_HOW.search(condition)


def waits(workflow: Workflow, job: Job, runs: tuple[Run, ...]) -> bool:
    """Whether a check or an approval comes before a job."""
    needed = set() if ignores_failures(job) else all_needed(workflow, job)
    before = [other for other in workflow.jobs if other.id in needed]
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
