"""Workflows and their steps speak of branches that don't fit together.

A step that wants a branch on which its workflow never runs is skipped for ever. And where one workflow runs on `main`
and another one on `master`, one of the two follows a branch that the repository no longer has: since a rename, its
tests or its deployment just don't happen.

Anti-pattern:

    # ci.yml
    on: { push: { branches: [main] } }
    # deploy.yml
    on: { push: { branches: [master] } }

Better:

    # ci.yml and deploy.yml
    on: { push: { branches: [main] } }

Recommendation:

    Name the branch that exists, in all workflows alike.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#onpushbranchestagsbranches-ignoretags-ignore
- https://github.com/github/renaming
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypedDict

from auditlib.conventions import deployment, told_commands, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Trigger, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DEFAULTS = ("main", "master")
_ORIGIN = regex(r"\borigin[ /](?P<branch>main|master)(?![\w./-])")
_PLACES = 4
_BY_BRANCH = frozenset({"push", "pull_request", "pull_request_target", "workflow_run"})
"""Events of a branch; of `workflow_run` it is the one of the run that has ended."""
_DEPLOYS = regex(r"deploy|release|publish", re.I)


class _Advice(TypedDict):
    recommendation: str
    change: tuple[str, str]
    example: str


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every step whose condition no trigger can meet; and two names of the default branch in one repository."""
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            if not workflow_events.never_holds(job.condition, workflow):
                yield from _of_steps(workflow, job)
    yield from _two_defaults(inventory)


def _of_steps(workflow: Workflow, job: Job) -> Iterator[Evidence]:
    for step in job.steps:
        if workflow_events.never_holds(step.condition, workflow):
            branches = workflow_events.branches_asked_for(step.condition)
            what = f"the branch {listed(branches)}" if branches else "what its condition names"
            yield Evidence(
                f"The step {_name(step)} of the job {job.id} wants {what}, and no trigger of {workflow.file} starts it "
                "there: it is always skipped.",
                step.location,
                subject=f"{job.id}/{_name(step)}",
                related=tuple(
                    Related(trigger.location, f"the trigger {trigger.event}") for trigger in workflow.triggers
                ),
                recommendation=f"Correct the condition of {_name(step)}, or add the branch to the triggers.",
                example=_triggered(workflow, branches),
            )


def _triggered(workflow: Workflow, branches: Sequence[str]) -> str:
    """The branches that start the workflow, with those that the step asks for."""
    known = [name for trigger in workflow.triggers if trigger.event == "push" for name in trigger.branches]
    names = ", ".join(dict.fromkeys((*known, *branches)))
    return files.into(workflow.file, f"on:\n  push:\n    branches: [{names}]" if branches else "on:\n  <the event>:")


def _name(step: Step) -> str:
    return step.name or step.uses or f"number {step.index + 1}"


def _two_defaults(inventory: Inventory) -> Iterator[Evidence]:
    """Workflows that follow only `main` beside those that follow only `master`; the fewer are the mistake."""
    followed: dict[str, list[tuple[Workflow, Trigger]]] = {name: [] for name in _DEFAULTS}
    for workflow in inventory.workflows:
        for trigger in workflow.triggers:
            named = [name for name in _DEFAULTS if name in trigger.branches]
            if trigger.event in _BY_BRANCH and len(named) == 1:
                followed[named[0]].append((workflow, trigger))
    if all(followed.values()):
        rare, usual = sorted(_DEFAULTS, key=lambda name: sum(map(_is_of_its_own, followed[name])))
        (workflow, trigger), *others = followed[rare]
        yield Evidence(
            f"{workflow.file} runs on {rare}, and {listed(item.file for item, _ in followed[usual])} on {usual}. If "
            "the repository has only one of these branches, as most have, what follows the other one never runs.",
            trigger.location,
            subject=f"{rare}/{usual}",
            related=(
                *(Related(item.location, f"runs on {rare} too", member=True) for _, item in others),
                *(Related(item.location, f"runs on {usual}") for _, item in followed[usual]),
            ),
            confidence=Confidence.MEDIUM,
            **_advice(followed, rare, usual),
        )
    else:
        yield from _named_elsewhere(inventory, followed)


def _is_of_its_own(followed: tuple[Workflow, Trigger]) -> bool:
    """Whether a trigger waits for no other workflow, which tells best what the branch is called."""
    return followed[1].event != "workflow_run"


def _named_elsewhere(inventory: Inventory, followed: dict[str, list[tuple[Workflow, Trigger]]]) -> Iterator[Evidence]:
    """Workflows that follow one of both names alone, where commands and documents fetch and push only the other."""
    named: dict[str, list[Location]] = {name: [] for name in _DEFAULTS}
    for told in told_commands.everywhere(inventory):
        if told.words[:1] == ("git",) and (match := _ORIGIN.search(told.text)):
            named[match["branch"]].append(told.location)
    for one, other in (_DEFAULTS, _DEFAULTS[::-1]):
        if followed[one] and named[other] and not named[one]:
            (workflow, trigger), *others = followed[one]
            yield Evidence(
                f"{workflow.file} runs on {one}, and {named[other][0].file} names {other} to Git. If the repository "
                "has only one of these branches, as most have, what follows the other one never runs.",
                trigger.location,
                subject=f"{one}/{other}",
                related=(
                    *(Related(item.location, f"runs on {one} too", member=True) for _, item in others),
                    *(Related(place, f"names {other}") for place in named[other][:_PLACES]),
                ),
                recommendation=f"Name the branch that exists in {workflow.file}, {other} by what people are told.",
                confidence=Confidence.MEDIUM,
                change=(one, other),
                example=files.into(workflow.file, f"on:\n  {trigger.event}:\n    branches: [{other}]"),
            )


def _advice(followed: dict[str, list[tuple[Workflow, Trigger]]], rare: str, usual: str) -> _Advice:
    """To follow the branch that most follow; where a deployment follows the other one, to check that one too."""
    workflow, trigger = followed[rare][0]
    if not any(map(_deploys, (item for item, _ in followed[rare]))):
        return _Advice(
            recommendation=f"Name the default branch that exists, {usual} by the look of it, in {workflow.file} too.",
            change=(rare, usual),
            example=files.into(workflow.file, f"on:\n  {trigger.event}:\n    branches: [{usual}]"),
        )
    other, started = followed[usual][0]
    return _Advice(
        recommendation=f"If {rare} is what is deployed, have {other.file} run there too; else deploy from {usual}.",
        change=("", ""),
        example=files.into(other.file, f"on:\n  {started.event}:\n    branches: [{usual}, {rare}]"),
    )


def _deploys(workflow: Workflow) -> bool:
    """Whether a workflow deploys, by the names of its jobs or by what they do on another host."""
    jobs = workflow.jobs
    named = any(deployment.deploys(job) or _DEPLOYS.search(f"{job.id} {job.name} {workflow.file}") for job in jobs)
    return named or any(step.remote for job in jobs for step in job.steps)
