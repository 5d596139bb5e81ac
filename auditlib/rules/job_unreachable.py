"""A job can never start.

Its condition asks for a branch or an event that the workflow's own triggers don't let through, or for which a job that
it needs is skipped; or the workflow waits for another one that doesn't exist. Nobody sees an error: GitHub shows the
job as skipped, as it does every day with jobs that are skipped for good reasons. A deployment that was meant to happen
just doesn't. A job that only prints is no loss, and no work until it does something.

Anti-pattern:

    on:
      push:
        branches: [main]
    jobs:
      deploy:
        if: github.ref == 'refs/heads/production'

Better:

    on:
      push:
        branches: [main, production]
    jobs:
      deploy:
        if: github.ref == 'refs/heads/production'

Recommendation:

    Add the branch or event to the triggers, or correct the condition.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
- https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-jobs-with-conditions
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditlib import pipeline
from auditlib.conventions import checks, deployment, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Trigger, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run, deploying, publishing
from auditlib.rules import _files as files
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_SERIOUS = regex(r"test|lint|check|scan|secur|audit|deploy|releas|publish|build|backup|migrat|verif|valid", re.I)
_OF_GITHUB = regex(
    r"pages-build-deployment|pages build and deployment|CodeQL(?: Setup)?|Dependabot Updates|Dependency Graph|"
    r"Copilot.*|Automatic Dependency Submission.*|.*Update #\d+",
    re.I,
)
"""Workflows that GitHub runs for a repository without a file in it."""
_BY_TAG = 'on:\n  push:\n    tags: ["v*"]'
_SWITCHED_OFF = frozenset({"false", "${{false}}"})


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job whose condition no trigger can meet, and every workflow that waits for one that isn't there."""
    names = {item.name or item.file for item in inventory.workflows} | {item.file for item in inventory.workflows}
    for workflow in inventory.workflows:
        yield from _waiting_in_vain(workflow, names)
        for job in workflow.jobs:
            if workflow_events.never_holds(job.condition, workflow):
                yield _contradiction(inventory, workflow, job)
            elif workflow_events.waits_for_tag_by_hand(job.condition, workflow):
                yield _of_tag(workflow, job)
            elif need := workflow_events.skipping_need(workflow, job):
                yield _excluded(inventory, workflow, job, need)
            elif job.condition.replace(" ", "") in _SWITCHED_OFF:
                yield _switched_off(job)


def _waiting_in_vain(workflow: Workflow, names: set[str]) -> Iterator[Evidence]:
    for trigger in workflow.triggers:
        known = [name for name in trigger.workflows if name in names or "*" in name or _OF_GITHUB.fullmatch(name)]
        if trigger.event == "workflow_run" and trigger.workflows and not known and len(workflow.triggers) == 1:
            wanted = listed(trigger.workflows)
            yield Evidence(
                f"{workflow.file} starts after {wanted}, and no workflow has that name: its jobs never start.",
                trigger.location,
                subject=f"workflow_run/{wanted}",
                related=tuple(
                    Related(job.location, f"the job {job.id} never starts", member=True) for job in workflow.jobs[:5]
                ),
                recommendation=f"Put the `name:` of an existing workflow in place of {wanted}.",
                example=_waiting(workflow, names),
            )


def _events(job: Job) -> tuple[str, ...]:
    """The events that the condition names and every alternative of it asks for."""
    wishes = workflow_events.wishes(job.condition)
    return tuple(dict.fromkeys(wish.event for wish in wishes)) if all(wish.event for wish in wishes) else ()


def _asks_for_tag(workflow: Workflow, job: Job) -> bool:
    """Whether a push starts the workflow, and all that the condition lacks is that one of a tag does."""
    wishes = workflow_events.wishes(job.condition)
    pushed = any(trigger.event == "push" for trigger in workflow.triggers)
    return pushed and all(wish.tag and not wish.branch and wish.event in ("", "push") for wish in wishes)


def _lacks_event(workflow: Workflow, job: Job) -> bool:
    """Whether each alternative of the condition asks for an event that doesn't start the workflow at all."""
    known = {"", *(trigger.event for trigger in workflow.triggers)}
    return all(wish.event not in known for wish in workflow_events.wishes(job.condition))


def _severity(inventory: Inventory, workflow: Workflow, jobs: Sequence[Job]) -> Severity | None:
    """Serious is what checks, publishes or deploys; a report on outdated packages that never comes is slight."""
    if all(map(deployment.is_empty, jobs)):
        return Severity.INFO
    runs = pipeline.of(inventory, [workflow])
    matters = any(job.uses or runs.is_opaque(job) or _matters(workflow, job, runs.of_job(job)) for job in jobs)
    return None if matters else Severity.LOW


def _matters(workflow: Workflow, job: Job, runs: list[Run]) -> bool:
    if _SERIOUS.search(f"{job.id} {job.name}") or publishing.of_job(workflow, job) or deploying.place(job, runs):
        return True
    commands = [item.words for step in job.steps for item in (*step.commands, *step.remote)]
    return any(checks.is_check(words) and not checks.is_audit(words) for words in commands) or any(
        step.remote for step in job.steps
    )


def _contradiction(inventory: Inventory, workflow: Workflow, job: Job) -> Evidence:
    branches = () if _lacks_event(workflow, job) else workflow_events.branches_asked_for(job.condition)
    tagged = _asks_for_tag(workflow, job)
    events = () if branches or tagged else _events(job)
    named = "a tag" if tagged else f"the event {listed(events)}" if events else "what its condition names"
    asked = f"the branch {listed(branches)}" if branches else named
    waiting = [other for other in workflow.jobs if job.id in other.needs and "always()" not in other.condition]
    first = (
        f"Add {branches[0]} to `branches` of `push`"
        if branches
        else "Add `tags` to `push`"
        if tagged
        else f"Add {events[0] if events else 'the event'} to `on:`"
    )
    return Evidence(
        f"The job {job.id} wants {asked}, and no trigger of {workflow.file} starts it there: it never runs.",
        job.location,
        subject=job.id,
        related=(
            *(Related(trigger.location, _says(trigger)) for trigger in workflow.triggers),
            *(Related(other.location, f"needs {job.id}, so it never runs either", member=True) for other in waiting),
        ),
        recommendation=f"{first} in {workflow.file}, or correct the condition of {job.id}.",
        severity=_severity(inventory, workflow, (job, *waiting)),
        example=files.into(workflow.file, _BY_TAG) if tagged else _triggered(workflow, branches, events),
    )


def _excluded(inventory: Inventory, workflow: Workflow, job: Job, need: Job) -> Evidence:
    """A job and one that it needs, with conditions that exclude each other."""
    mine, theirs = workflow_events.branches_asked_for(job.condition), workflow_events.branches_asked_for(need.condition)
    wants = f"the branch {listed(mine)}" if mine else f"`{job.condition}`"
    runs = f"the branch {listed(theirs)} alone" if theirs else f"`{need.condition}` alone"
    return Evidence(
        f"The job {job.id} wants {wants} and needs {need.id}, which runs for {runs}: where one may run, the other is "
        "skipped, so that it never runs.",
        job.location,
        subject=job.id,
        related=(Related(need.location, f"{need.id} runs for {runs}"),),
        recommendation=f"Let the condition of {need.id} hold for {listed(mine) or job.id}, too, or let {job.id} do "
        "without it.",
        severity=_severity(inventory, workflow, (job,)),
        example=workflow_lines.of_job(workflow.file, need.id, f"if: {_either(need.condition, job.condition)}"),
    )


def _either(one: str, other: str) -> str:
    bare = (text.strip().removeprefix("${{").removesuffix("}}").strip() for text in (one, other))
    return " || ".join(f"({text})" if "&&" in text else text for text in bare)


def _of_tag(workflow: Workflow, job: Job) -> Evidence:
    push = next(trigger for trigger in workflow.triggers if trigger.event == "push")
    return Evidence(
        f"The job {job.id} wants a tag, and pushing one doesn't start {workflow.file}: it runs only when somebody "
        "starts the workflow by hand and picks a tag.",
        job.location,
        subject=job.id,
        related=(Related(push.location, _says(push)),),
        recommendation=f"Add `tags` to `push` in {workflow.file}, so that a tag starts {job.id}.",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        example=files.into(workflow.file, _BY_TAG),
    )


def _waiting(workflow: Workflow, names: set[str]) -> str:
    others = sorted(names - {workflow.name, workflow.file} - {name for name in names if "/" in name})
    meant = ", ".join(others) if len(others) == 1 else f"<one of {listed(others)}>" if others else "<its name>"
    return files.into(workflow.file, f"on:\n  workflow_run:\n    workflows: [{meant}]\n    types: [completed]")


def _triggered(workflow: Workflow, branches: Sequence[str], events: Sequence[str]) -> str:
    """The branches that start the workflow, with those that the job asks for."""
    known = [name for trigger in workflow.triggers if trigger.event == "push" for name in trigger.branches]
    names = ", ".join(dict.fromkeys((*known, *branches)))
    return files.into(workflow.file, f"on:\n  push:\n    branches: [{names}]" if branches else _started(events))


def _started(events: Sequence[str]) -> str:
    event = events[0] if events else "<the event>"
    return f"on:\n  {event}:" + ('\n    - cron: "<minute hour * * *>"' if event == "schedule" else "")


def _says(trigger: Trigger) -> str:
    return f"{trigger.event} on {listed(trigger.branches)}" if trigger.branches else f"the trigger {trigger.event}"


def _switched_off(job: Job) -> Evidence:
    return Evidence(
        f"The job {job.id} is switched off by `if: false`.",
        job.location,
        subject=job.id,
        recommendation=f"Remove the job {job.id}, or its condition once it is fit to run.",
        severity=Severity.INFO,
        example=workflow_lines.of_job(job.workflow, job.id, "if: <when it is to run>"),
    )
