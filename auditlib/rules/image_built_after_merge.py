"""An image is built only after the merge, so that no pull request shows a broken Dockerfile.

The pipeline checks each pull request, and the build of the image isn't among the checks. A dependency that doesn't
install, a file that was moved, a base image that is gone: the pull request is green, and the first run on the main
branch fails, when everybody else builds upon it.

Anti-pattern:

    on: {push: {branches: [main]}, pull_request: {}}
    jobs:
      test: {...}
      image:
        if: github.event_name == 'push'
        steps:
          - uses: docker/build-push-action@v6
            with: {context: ., push: true}

Better:

    image:
      steps:
        - uses: docker/build-push-action@v6
          with:
            context: .
            push: ${{ github.event_name == 'push' }}

Recommendation:

    Build the image on pull requests too, and push it only after the merge.

References:

- https://docs.docker.com/build/ci/github-actions/
- https://github.com/docker/build-push-action#inputs
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib import pipeline
from auditlib.conventions import checks, deployment, image_builds, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Trigger, Workflow
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Pipeline, Run, building
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_NO_REQUEST = regex(r"github\.event_name\s*!=\s*'pull_request'")
_NOT_ALL = regex(r"\|\||[()]")
_MERGED = regex(r"(?:main|master|trunk|stable|prod(?:uction)?|releases?(?:[-/].*)?|develop(?:ment)?|staging|v[\d*].*)")
"""Branches that code comes to by a merge."""
_BY_ITSELF = frozenset({"push", "release", "pull_request", "workflow_call"})
_LATE = frozenset({
    "workflow_dispatch", "repository_dispatch", "release", "schedule", "workflow_call", "create",
})  # fmt: skip
_BUILDS_OTHERWISE = regex(
    r"^(?!docker/(?:setup-|login|metadata|scout|build-push|bake)|hadolint/|actions/)\S*(?:docker|image|container|buildah|kaniko)\S*@",
    re.I,
)
"""An action of somebody that may build an image."""


class _Build(Struct, frozen=True):
    """A build of an image, and the workflow that it is in."""

    workflow: Workflow
    run: Run


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all Dockerfiles that only runs after the merge build, where pull requests are checked."""
    if not inventory.dockerfiles or deployment.unfollowed_ci(inventory) or _may_build_before(inventory):
        return
    asked = [item for item in inventory.workflows if workflow_events.runs_for_pull_requests(item)]
    found = pipeline.of(inventory, inventory.workflows)
    checking = [item for item in asked if _checks(item, found)]
    builds = [_Build(workflow, run) for workflow in inventory.workflows for run in _builds(inventory, workflow, found)]
    before = {item.run.location for item in builds if not _is_after(inventory, item)}
    if not checking or not builds or _is_opaque(asked, found):
        return
    composed = building.composed_by(inventory)
    late = []
    used = {item.dockerfile.path for item in image_builds.for_production(inventory)}
    for file in filter(building.counts, inventory.dockerfiles):
        about = [item for item in builds if building.covers(item.run, file, inventory, composed)]
        if file.path not in used:  # Compose is told of the files for production, as a rule
            about = [item for item in about if "compose" not in item.run.text]
        own = [item for item in about if _starts_by_itself(item)]
        if own and not any(item.run.location in before for item in about):
            late.append((file, own[0]))
    if late:
        yield _evidence(inventory, checking[0], late)


def _starts_by_itself(item: _Build) -> bool:
    """Whether anything but a person starts a build, as far as the condition of its job tells."""
    asked = workflow_events.wishes(item.run.job.condition)
    triggers = [trigger for trigger in item.workflow.triggers if trigger.event in _BY_ITSELF]
    return any(not asked or any(wish.is_granted(trigger) for wish in asked) for trigger in triggers)


def _may_build_before(inventory: Inventory) -> bool:
    """Whether a workflow runs before the merge in a way that isn't looked at: in a queue, or called by others."""
    return any(trigger.event == "merge_group" for item in inventory.workflows for trigger in item.triggers)


def _checks(workflow: Workflow, found: Pipeline) -> bool:
    runs = (run for job in workflow.jobs if not _excludes_requests(workflow, job) for run in found.of_job(job))
    return any(checks.is_check(run.text.split()) for run in runs)


def _builds(inventory: Inventory, workflow: Workflow, found: Pipeline) -> Iterator[Run]:
    for job in workflow.jobs:
        yield from (run for run in found.of_job(job) if pipeline.builds_images(run, inventory))


def _is_opaque(asked: list[Workflow], found: Pipeline) -> bool:
    """Whether something that pull requests start may build images in a way that can't be followed."""
    jobs = [job for item in asked for job in item.jobs if not _excludes_requests(item, job)]
    known = {id(job) for job in jobs}
    opaque = Pipeline((), tuple(run for run in found.opaque if id(run.job) in known))
    acting = (run for job in jobs for run in found.of_job(job))
    return building.may_build(opaque) or any(_BUILDS_OTHERWISE.search(run.text) for run in acting if "@" in run.text)


def _is_after(inventory: Inventory, item: _Build) -> bool:
    """Whether a build certainly runs for no pull request and on no branch before it is merged."""
    workflow, job = item.workflow, item.run.job
    called = f"./{workflow.file}"
    callers = [(other, caller) for other in inventory.workflows for caller in other.jobs if caller.uses == called]
    own = _excluded(workflow, job, _step(item.run))
    return own and all(_excluded(other, caller, None) for other, caller in callers)


def _excluded(workflow: Workflow, job: Job, step: Step | None) -> bool:
    triggers = [item for item in workflow.triggers if not _is_late(item)]
    if not triggers:
        return True
    conditions = [job.condition, *_before(workflow, job), step.condition if step else ""]
    return any(_excludes(condition, triggers) for condition in conditions)


def _excludes_requests(workflow: Workflow, job: Job) -> bool:
    requests = [item for item in workflow.triggers if item.event == "pull_request"]
    return any(_excludes(condition, requests) for condition in (job.condition, *_before(workflow, job)))


def _before(workflow: Workflow, job: Job) -> list[str]:
    """The conditions of the jobs that a job waits for: where one is skipped, so is the job."""
    return [other.condition for other in workflow.jobs if other.id in job.needs]


def _is_late(trigger: Trigger) -> bool:
    """Whether a run that a trigger starts has merged code, or is started by a person or a clock."""
    if trigger.event == "push":
        merged = bool(trigger.branches) and all(_MERGED.fullmatch(branch) for branch in trigger.branches)
        return merged or (bool(trigger.tags) and not trigger.branches)
    return trigger.event in _LATE


def _excludes(condition: str, triggers: list[Trigger]) -> bool:
    """Whether a condition holds in no run that one of the triggers starts, as far as it can be told."""
    if not condition:
        return False
    plain = condition.strip().removeprefix("${{").removesuffix("}}")
    requests = all(trigger.event == "pull_request" for trigger in triggers)
    if requests and _NO_REQUEST.search(plain) and not _NOT_ALL.search(plain):
        return True
    asked = workflow_events.wishes(condition)
    merged = all(not wish.branch or _MERGED.fullmatch(wish.branch) for wish in asked)
    if not asked or not merged:
        return False
    return not any(_is_granted(wish, trigger) for wish in asked for trigger in triggers)


def _is_granted(wish: workflow_events.Wish, trigger: Trigger) -> bool:
    """Whether such a run may have code that isn't merged: what asks for the main branch has none."""
    return wish.is_granted(trigger) and not (wish.branch or wish.tag)


def _step(run: Run) -> Step | None:
    """The step that a run belongs to."""
    place = run.location
    return next((step for step in run.job.steps if step.location.line <= place.line <= step.location.last_line), None)


def _evidence(inventory: Inventory, checking: Workflow, late: list[tuple[Dockerfile, _Build]]) -> Evidence:
    builds = list({item.run.location: item for _, item in late}.values())
    first, *others = builds
    names = listed((file.path for file, _ in late), limit=4)
    jobs = listed(f"{item.run.job.id} of {item.workflow.file}" for item in builds)
    it = "it" if len(late) == 1 else "them"
    request = next(item for item in checking.triggers if item.event == "pull_request")
    steps = "\n".join(building.step(inventory, file) for file, _ in late[:6])
    return Evidence(
        f"{checking.file} checks pull requests, and {names} {'is' if len(late) == 1 else 'are'} built only after the "
        f"merge, by {jobs}: what breaks {it} shows when it is merged.",
        first.run.location,
        subject="images",
        related=(
            *(Related(item.run.location, f"{item.run.job.id} builds only then too", member=True) for item in others),
            Related(request.location, "pull requests are checked here"),
        ),
        recommendation=f"Build {names} on pull requests too, without pushing {it}.",
        example=workflow_lines.new_job(inventory, checking.file, "images", steps),
    )
