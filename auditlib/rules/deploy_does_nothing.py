"""A job that is called a deployment deploys nothing.

It prints a message and turns green. Who looks at the list of runs believes that the version is out, and so does
whatever waits for the job.

Anti-pattern:

    deploy:
      needs: test
      steps:
        - uses: actions/checkout@v4
        - run: echo "Deploying to production..."

Better:

    deploy:
      needs: test
      environment: production
      steps:
        - uses: actions/checkout@v4
        - run: ssh "$HOST" 'cd /srv/app && docker compose pull && docker compose up --detach --wait'

Recommendation:

    Write the commands that deploy, or remove the job until somebody does.

References:

- https://docs.github.com/en/actions/how-tos/deploy
- https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/control-deployments
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import checks, deployment, stacks, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import idle_deployments
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_DEPLOYS = regex(r"(?:^|[^a-z])(?:deploy(?:s|ing|ment)?|roll-?out|roll-?back|go-?live)(?![a-z])", re.I)
_SPEAKS_OF_IT = regex(
    r"summary|notify|notification|status|check|test|preview.url|comment|info|skip|version|message|start|finish|succe|"
    r"fail|docs|lint|verify|should|need|detect|whether|plan|validate|log|wait|done|complete|announce|instruction",
    re.I,
)
_HOSTED = regex(r"(?:ubuntu|windows|macos)-")
_STARTS = regex(r"^(?:sudo )?docker[- ]compose .{0,300}\bup\b.{0,300} (?:-d|--detach)\b")
_READS = regex(
    r"^(?:sudo )?(?:docker[- ]compose\b.{0,300}\bconfig(?: (?:-q|--quiet))?$|helm (?:lint|template)\b|"
    r"terraform (?:validate|fmt|version)\b|nginx -t\b|(?:cat|ls|pwd|env|date|test|\[) )"
)
_REACHES = regex(
    r"\b(?:ssh|scp|rsync|sftp|kubectl|helm|aws|az|gcloud|doctl|flyctl|heroku|ansible\S*|terraform)\b|DOCKER_(?:HOST|CONTEXT)|"
    r"docker context|docker (?:compose )?push|\bcurl\b.{0,200}(?:-X ?POST|--request POST|hook)|ssh-|-ssh|deploy-action|"
    r"tailscale|build-push-action",
    re.I,
)
"""What takes something from the runner to elsewhere."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.LARGE)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job named after a deployment that only prints, and every step named so in a job that does more."""
    for job in inventory.jobs:
        if held := idle_deployments.held_back(inventory, job):
            yield _of_switch(job, held)
        if _is_named_so(f"{job.id} {job.name}") and not job.uses and job.steps:
            printing = [step for step in job.steps if step.run]
            if printing and all(map(deployment.is_idle, job.steps)):
                yield _of_job(inventory, job, printing[-1])
                continue
            if printing and all(deployment.is_idle(step) or _only_checks(step) for step in job.steps):
                yield _of_checks(inventory, job, printing[-1])
                continue
            if called := idle_deployments.printing(inventory, job):
                yield _of_program(inventory, job, *called)
                continue
            if tried := idle_deployments.attempt(inventory, job):
                yield _of_tries(job, tried)
                continue
            if start := _start_on_runner(job):
                yield _of_runner(inventory, job, start)
        for step in job.steps:
            if step.run and _is_named_so(step.name) and deployment.is_idle(step):
                yield _of_step(inventory, job, step)


def _is_named_so(name: str) -> bool:
    return bool(_DEPLOYS.search(name)) and not _SPEAKS_OF_IT.search(name)


def _only_checks(step: Step) -> bool:
    """Whether all commands of a step install, check or print."""
    return bool(step.commands) and all(
        deployment.prints(item) or checks.is_check(item.words) or _reads_only(item) for item in step.commands
    )


def _reads_only(command: Command) -> bool:
    """Whether a command installs programs, or reads what would be deployed."""
    text = " ".join(command.words)
    return bool(tools.INSTALLS.search(text) or (_READS.search(text) and not command.writes and not command.caught))


def _deploying(inventory: Inventory, job: Job, name: str = "") -> str:
    """The step that brings the new version to a host, built there or pulled."""
    projects = stacks.of_application(inventory)
    trial = stages.names_trial(f"{job.id} {job.name}")
    projects.sort(key=lambda item: trial and not stages.names_trial(item.location.file))
    named = f"- name: {name}\n  run: " if name else "- run: "
    if not projects:
        return workflow_lines.step(job.workflow, job.id, f"{named}<what deploys>")
    compose = compose_lines.call(inventory, projects[0].name)
    built = any(service.build for service in inventory.services_of(projects[0].name).values())
    way = f"git pull && {compose} up --detach --build" if built else f"{compose} pull && {compose} up --detach"
    command = f"cd <the repository on that host> && {way}"
    host = "  env:\n    HOST: ${{ vars.DEPLOY_HOST }}"
    return workflow_lines.step(job.workflow, job.id, f"{named}ssh \"$HOST\" '{command}'\n{host}")


def _of_program(inventory: Inventory, job: Job, program: idle_deployments.Printing, call: Command) -> Evidence:
    return Evidence(
        f"The job {job.id} is called {_called(job)}, and {program.name}, which it runs, only prints.",
        call.location,
        subject=job.id,
        related=(Related(program.location, "only prints"),),
        recommendation=f"Write the commands that deploy into {program.file}, or remove the job {job.id}.",
        example=_deploying(inventory, job),
    )


def _of_tries(job: Job, tried: Command) -> Evidence:
    text = " ".join(tried.words)
    option = next(word for word in tried.words if word.startswith("-") and "dry" in word)
    return Evidence(
        f"The job {job.id} is called {_called(job)}, and only tries it: `{text[:100]}`.",
        tried.location,
        subject=f"{job.id}/dry run",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Run the command without `{option}`, after the run that tries it.",
        example=workflow_lines.step(job.workflow, job.id, f"- run: {text.replace(f' {option}', '')}"),
        confidence=Confidence.MEDIUM,
    )


def _of_switch(job: Job, held: idle_deployments.HeldBack) -> Evidence:
    variable = held.variable
    return Evidence(
        f"The job {job.id} runs {held.script} with {variable.name}={variable.value}, at which the script ends before "
        "it has done anything, and no other command runs it.",
        held.call.location,
        subject=f"{job.id}/{variable.name}",
        related=(
            Related(variable.location, f"{variable.name} is set"),
            Related(held.end, "the script ends here"),
        ),
        recommendation=f"Remove {variable.name} from the job {job.id} of {job.workflow}, or remove the job.",
        example=workflow_lines.of_job(job.workflow, job.id, f"env: <without {variable.name}>"),
        confidence=Confidence.MEDIUM,
    )


def _start_on_runner(job: Job) -> Command | None:
    """What a job starts by Compose on GitHub's own machine, if nothing in it reaches another one."""
    texts = [
        f"{step.uses} {step.run} {' '.join(pair.name for pair in (*step.env, *step.inputs))}" for step in job.steps
    ]
    texts += [pair.name for pair in job.env]
    if not _HOSTED.match(job.runs_on) or idle_deployments.is_called_trial(job) or any(map(_REACHES.search, texts)):
        return None
    commands = (command for step in job.steps for command in step.commands)
    return next((item for item in commands if _STARTS.search(" ".join(item.words))), None)


def _of_runner(inventory: Inventory, job: Job, start: Command) -> Evidence:
    return Evidence(
        f"The job {job.id} is called {_called(job)}, and starts the containers on GitHub's runner, which is thrown "
        "away when the job ends; nothing in it reaches another host.",
        start.location,
        subject=f"{job.id}/runner",
        related=(Related(job.location, f"the job {job.id} runs on {job.runs_on}"),),
        recommendation=f"Let the job {job.id} of {job.workflow} run the command on the host that serves, by SSH or on "
        "a runner there.",
        example=_deploying(inventory, job),
        confidence=Confidence.MEDIUM,
    )


def _called(job: Job) -> str:
    return "a rollback" if "back" in f"{job.id} {job.name}".lower() else "a deployment"


def _of_job(inventory: Inventory, job: Job, step: Step) -> Evidence:
    place = step.commands[0].location
    return Evidence(
        f"The job {job.id} is called {_called(job)}, and all that it does is `{step.commands[0].words[0]}`.",
        place,
        subject=job.id,
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Write the commands into the job {job.id} of {job.workflow}, or remove it.",
        example=_deploying(inventory, job),
    )


def _of_checks(inventory: Inventory, job: Job, step: Step) -> Evidence:
    return Evidence(
        f"The job {job.id} is called {_called(job)}, and its steps only install and check.",
        job.location,
        subject=job.id,
        related=(Related(step.location, "its last step"),),
        recommendation=f"Name the job {job.id} of {job.workflow} after what it does, or add the commands that deploy.",
        example=_deploying(inventory, job),
        confidence=Confidence.MEDIUM,
    )


def _of_step(inventory: Inventory, job: Job, step: Step) -> Evidence:
    return Evidence(
        f"The step `{step.name}` of the job {job.id} only prints.",
        step.commands[0].location,
        subject=f"{job.id}/{step.name}",
        related=(Related(job.location, f"the job {job.id}"),),
        recommendation=f"Write what `{step.name}` says into the step, or remove it.",
        example=_deploying(inventory, job, step.name),
        confidence=Confidence.MEDIUM,
    )
