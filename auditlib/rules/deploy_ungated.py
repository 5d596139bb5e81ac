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
from auditlib.inventory.delivery import Job, Trigger, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import deploying
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_FOR_ONE_REQUEST = regex(
    r"event_name|github\.ref|GITHUB_REF|github\.event|head_ref|GITHUB_HEAD|vercel|netlify|wrangler|railway|firebase",
    re.I,
)
"""What asks for the event, names what is deployed by the pull request, or makes a preview of one by itself."""
_STAGING = regex(r"(?<![a-z])(?:staging|stage|stg|dev|development|qa|uat)(?![a-z])", re.I)
_PRODUCTION = regex(r"(?<![a-z])(?:prod|production|live)(?![a-z])", re.I)


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that a push starts and that deploys with no check and no approval, or that a pull request starts."""
    for workflow in inventory.workflows:
        if workflow_events.is_started_by_person(workflow):
            continue
        runs = pipeline.of(inventory, [workflow])
        for job in workflow.jobs:
            place = deploying.place(job, runs.of_job(job))
            if place and _follows_requests(workflow, job):
                yield _of_request(workflow, job, place)
            elif (
                place
                and _follows_pushes(workflow)
                and not deploying.is_gated(workflow, job, (*runs.runs, *runs.opaque))
            ):
                yield _evidence(inventory, workflow, job, place)
            elif place and _follows_failures(workflow, job):
                yield _of_any_run(workflow, job, place)


def _follows_failures(workflow: Workflow, job: Job) -> bool:
    """Whether the end of another workflow starts a job, and nothing asks how that ended, nor a person."""
    before = [job, *(other for other in workflow.jobs if other.id in deploying.all_needed(workflow, job))]
    texts = [f"{item.condition} {item.environment and 'conclusion'} {item.uses and 'conclusion'}" for item in before]
    texts += [f"{step.condition} {step.run} {step.uses}" for item in before for step in item.steps]
    asked = any("conclusion" in text or deploying.ASKS_OTHERS.search(text) for text in texts)
    return not asked and any(_ends(trigger) for trigger in workflow.triggers)


def _ends(trigger: Trigger) -> bool:
    return trigger.event == "workflow_run" and "requested" not in trigger.types and bool(trigger.workflows)


def _of_any_run(workflow: Workflow, job: Job, place: Location) -> Evidence:
    trigger = next(item for item in workflow.triggers if _ends(item))
    return Evidence(
        f"The job {job.id} deploys when {listed(trigger.workflows)} has ended, and nothing asks how: a failed run "
        "deploys too.",
        place,
        subject=job.id,
        related=(Related(trigger.location, "the end of another workflow starts it"),),
        recommendation=f"Let the job {job.id} of {workflow.file} run only if "
        "`github.event.workflow_run.conclusion == 'success'`.",
        example=workflow_lines.of_job(workflow.file, job.id, "if: github.event.workflow_run.conclusion == 'success'"),
    )


def _follows_pushes(workflow: Workflow) -> bool:
    return any(trigger.event == "push" for trigger in workflow.triggers)


def _follows_requests(workflow: Workflow, job: Job) -> bool:
    """Whether pull requests start a job, and nothing asks what started it, nor whom the deployment is for."""
    before = [job, *(other for other in workflow.jobs if other.id in deploying.all_needed(workflow, job))]
    if any(item.condition or item.environment or item.uses for item in before):
        return False
    texts = [f"{step.uses} {step.condition} {step.run}" for step in job.steps]
    inputs = [pair.value for step in job.steps for pair in step.inputs]
    return workflow_events.runs_for_pull_requests(workflow) and not _FOR_ONE_REQUEST.search("\n".join(texts + inputs))


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


def _gate(job: Job, needs: list[str], staging: bool) -> str:
    """The job as it waits; a deployment for trying things out needs no approval, but it needs the checks."""
    called = staging and len(needs) == len(job.needs)
    needs = list(dict.fromkeys([*needs, *(["checks"] if called else [])]))
    waits = f"    needs: [{', '.join(needs)}]\n" if needs else ""
    checks_first = (
        "  checks:\n    uses: <./.github/workflows/ and the workflow that checks, with `on: workflow_call`>\n"
        if called
        else ""
    )
    name = "staging" if staging else "production  # with reviewers, in the repository's settings"
    return f"jobs:\n{checks_first}  {job.id}:\n{waits}    environment: {name}"


def _is_for_staging(job: Job) -> bool:
    """Whether the job says of itself that it deploys where things are tried out."""
    said = f"{job.id} {job.name}"
    return bool(_STAGING.search(said)) and not _PRODUCTION.search(said)


def _evidence(inventory: Inventory, workflow: Workflow, job: Job, place: Location) -> Evidence:
    trigger = next(item for item in workflow.triggers if item.event == "push")
    tests = [
        other for other in inventory.jobs
        if other is not job and any(checks.is_check(item.words) for step in other.steps for item in step.commands)
    ]  # fmt: skip
    same = [other for other in tests if other.workflow == workflow.file]
    staging = _is_for_staging(job)
    first = f"Add `needs: {same[0].id}` and an `environment`" if same else "Add an `environment` with reviewers"
    lacks, both = "neither a check nor an approval comes before it", "both"
    if staging:
        first = f"Add `needs: {same[0].id}`" if same else "Add a job that calls the checks, and `needs` for it"
        lacks, both = "no check comes before it", "one"
    if deploying.ignores_failures(job):
        return _in_any_case(job, place, trigger)
    return Evidence(
        f"The job {job.id} deploys on each push, and {lacks}, unless the rules of the branch demand {both}.",
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
        severity=Severity.LOW if staging else None,
        example=_gate(job, [*job.needs, *(other.id for other in same[:1])], staging),
    )


def _in_any_case(job: Job, place: Location, trigger: Trigger) -> Evidence:
    """The finding where a job needs others, and its condition lets it go on however they end."""
    return Evidence(
        f"The job {job.id} deploys on each push, and its condition lets it do so even if one that it needs fails "
        f"({listed(job.needs)}), unless the rules of the branch demand a check and an approval.",
        place,
        subject=job.id,
        related=(Related(trigger.location, "a push starts it"), Related(job.location, f"the condition of {job.id}")),
        recommendation=f"Ask for `!failure() && !cancelled()` in the condition of the job {job.id} of {job.workflow}.",
        severity=Severity.LOW if _is_for_staging(job) else None,
        example=workflow_lines.of_job(job.workflow, job.id, "if: ${{ !failure() && !cancelled() && <as before> }}"),
    )
