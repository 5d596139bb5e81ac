"""What is published passed no check.

The workflow that publishes starts by itself, beside the one that tests or without it. A commit whose tests fail becomes
the image or the package that others take, and its version can't be given a second time.

Anti-pattern:

    # .github/workflows/ci.yml tests branches; this one is .github/workflows/release.yml
    on:
      push:
        tags: ["v*"]
    jobs:
      publish:
        steps:
          - uses: docker/build-push-action@v6
            with: {push: true}

Better:

    jobs:
      test:
        uses: ./.github/workflows/ci.yml
      publish:
        needs: test

Recommendation:

    Run the checks in the workflow that publishes, and let the job that publishes need them.

References:

- https://docs.github.com/en/actions/how-tos/reuse-automations/reuse-workflows
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
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import Pipeline, deploying, publishing
from auditlib.pipeline.publishing import Publication
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MAY_CHECK = regex(r"test|lint|scan|verif|validat|codeql|sonar|pre-commit|megalinter|quality|(?<!actions/)check", re.I)
"""Actions that may be a check, by their names."""
_APART = regex(r"github\.(?:workflow|run_id|run_number)\b")
"""What makes the group of one run, or of one workflow, another than that of the rest."""
_STARTS = {"push": "push", "release": "release", "create": "new tag"}


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each workflow whose jobs publish with no check before, where another workflow has checks."""
    checking = [job for job in inventory.jobs if _checks(job)]
    if not checking or _tests_in_images(inventory):
        return
    for workflow in inventory.workflows:
        triggers = [item for item in workflow.triggers if item.event in _STARTS]
        if not triggers or any(item.event in ("workflow_run", "workflow_call") for item in workflow.triggers):
            continue
        if any(job.workflow == workflow.file for job in checking):
            continue  # whether the job waits for that one is the question of another rule
        found = [(job, item) for job in workflow.jobs if (item := publishing.of_job(workflow, job))]
        runs = pipeline.of(inventory, [workflow] if found else [])
        loose = [item for item in found if not _is_tied(workflow, item[0], runs)]
        if loose:
            yield _evidence(inventory, workflow, triggers[0], loose, checking[0])


def _checks(job: Job) -> bool:
    commands = (item for step in job.steps for item in step.commands)
    return any(checks.is_check(item.words) and not checks.is_audit(item.words) for item in commands)


def _tests_in_images(inventory: Inventory) -> bool:
    """Whether the build of an image runs the tests itself."""
    commands = (command for file in inventory.dockerfiles for item in file.instructions if item.keyword == "RUN"
                for command in item.commands)  # fmt: skip
    return any(checks.is_check(command.words) for command in commands)


def _is_tied(workflow: Workflow, job: Job, runs: Pipeline) -> bool:
    """Whether something that may be a check or an approval comes before, or it is spoken of as a deployment."""
    wishes = workflow_events.wishes(job.condition)
    if wishes and all(wish.event == "workflow_dispatch" for wish in wishes):
        return True
    before = [job, *(item for item in workflow.jobs if item.id in deploying.all_needed(workflow, job))]
    if any(runs.is_opaque(item) or _MAY_CHECK.search(step.uses) for item in before for step in item.steps):
        return True
    if deploying.waits(workflow, job, runs.runs) or deploying.is_preview(job):
        return True
    deploys = deploying.place(job, runs.of_job(job)) is not None
    return deploys and not workflow_events.is_started_by_person(workflow)


def _called(inventory: Inventory, file: str, event: str) -> str:
    """The job that calls a workflow, with what the workflow needs for it."""
    found = next((item for item in inventory.workflows if item.file == file), None)
    lines = f"uses: ./{file}  # give it `workflow_call` among its triggers"
    if found and event == "push" and found.concurrency and not _APART.search(found.concurrency):
        lines += "\n    # and ${{ github.workflow }} in the group of its `concurrency`, or the two runs end each other"
    if found and any(item.kind.startswith("secret") and item.name != "GITHUB_TOKEN" for item in found.secrets):
        lines += "\n    secrets: inherit"
    return lines


def _tied(inventory: Inventory, workflow: Workflow, checking: Job, event: str) -> tuple[str, str]:
    """How the checks come before: their workflow is called, unless it would deploy or publish once more by that."""
    found = [item for item in inventory.workflows if item.file == checking.workflow]
    runs = pipeline.of(inventory, found)
    jobs = [(item, job) for item in found for job in item.jobs]
    if any(publishing.of_job(item, job) or deploying.place(job, runs.of_job(job)) for item, job in jobs):
        apart = "uses: ./.github/workflows/<checks>.yml  # `on: workflow_call` and the job " + checking.id
        return apart, f"Move the checks of {checking.workflow} into a workflow that both call"
    return _called(inventory, checking.workflow, event), f"Call {checking.workflow} as a job of {workflow.file}"


def _evidence(
    inventory: Inventory, workflow: Workflow, trigger: Trigger, found: list[tuple[Job, Publication]], checking: Job
) -> Evidence:
    (job, first), *others = found
    tagged = bool(trigger.tags) and not trigger.branches
    event = "tag" if tagged else _STARTS[trigger.event]
    called, advice = _tied(inventory, workflow, checking, event)
    unless = "nobody tags or releases what hasn't passed them" if tagged or trigger.event != "push" else (
        "the rules of the branch demand them before"
    )  # fmt: skip
    return Evidence(
        f"The job {job.id} publishes {first.what} on each {event} without waiting for a check: those of "
        f"{checking.workflow} are a run of their own, which may fail, unless {unless}.",
        first.location,
        subject=job.id,
        related=(
            Related(trigger.location, f"each {event} starts it"),
            Related(checking.location, f"the job {checking.id} checks, in another workflow"),
            *(Related(item.location, f"{other.id} publishes {item.what} too", member=True) for other, item in others),
        ),
        recommendation=f"{advice}, and let {job.id} need it.",
        example=files.into(
            workflow.file,
            f"jobs:\n  checks:\n    {called}\n  {job.id}:\n    needs: [{', '.join(('checks', *job.needs))}]",
        ),
    )
