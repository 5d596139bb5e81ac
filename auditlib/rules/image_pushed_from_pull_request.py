"""An image is pushed from pull requests.

Whoever may open a pull request from a branch of the repository publishes an image that nobody has reviewed, under the
name from which others pull. With a tag like `latest` it replaces the released one.

Anti-pattern:

    on: [push, pull_request]
    jobs:
      image:
        steps:
          - uses: docker/build-push-action@v6
            with:
              push: true
              tags: ghcr.io/acme/api:latest

Better:

    - uses: docker/build-push-action@v6
      with:
        push: ${{ github.event_name != 'pull_request' }}
        tags: ghcr.io/acme/api:${{ github.sha }}

Recommendation:

    Build on pull requests, and push only from the branch that was reviewed.

References:

- https://github.com/docker/build-push-action
- https://docs.github.com/en/actions/reference/security/secure-use
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import tools, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_PUSHES = regex(r"^(?:docker|podman|buildah|nerdctl)\s+(?:image\s+|manifest\s+)?push\b|^docker[ -]compose\b.*\spush\b")
_BUILDS_AND_PUSHES = regex(r"^docker\s+(?:buildx\s+)?(?:build|bake)\b.*\s--push(?:\s|=true|$)")
_PUSH = "push: ${{ github.event_name != 'pull_request' }}"
_FIXED = regex(r"type=(?:raw|edge)|latest=true|value=latest")
_OWN_TAG = regex(
    r"github\.(?:sha|run_id|run_number|head_ref|event\.(?:number|pull_request))|GITHUB_SHA|GITHUB_RUN_|refs?/pull"
)
_LOCAL = regex(r"localhost|127\.0\.0\.1|\bkind\b|ttl\.sh")
"""Registries that end with the job."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every push of an image in a job that pull requests start, where no condition asks what started it."""
    for workflow in inventory.workflows:
        if not workflow_events.runs_for_pull_requests(workflow):
            continue
        for job in workflow.jobs:
            if not _is_conditional(workflow, job):
                for step, place in _pushes(job):
                    yield _evidence(workflow, job, step, place)


def _is_conditional(workflow: Workflow, job: Job) -> bool:
    """Whether a condition stands before the job or before one that it needs."""
    needed = [other for other in workflow.jobs if other.id in job.needs]
    return bool(job.condition) or any(other.condition for other in needed)


def _pushes(job: Job) -> Iterator[tuple[Step, Location]]:
    for step in job.steps:
        inputs = {pair.name: pair for pair in step.inputs}
        if step.condition:
            continue
        pushing = tools.IMAGE_ACTIONS.search(step.uses) and "push" in inputs and inputs["push"].value == "true"
        if pushing and not ("tags" in inputs and _LOCAL.search(inputs["tags"].value)):
            yield step, inputs["push"].location
        for command in step.commands:
            text = " ".join(command.words)
            asks = "event_name" in step.run or "GITHUB_EVENT_NAME" in step.run or "GITHUB_REF" in step.run
            if (_PUSHES.search(text) or _BUILDS_AND_PUSHES.search(text)) and not asks and not _LOCAL.search(text):
                yield step, command.location


def _step_lines(step: Step) -> str:
    """The step that builds for pull requests too, or the command that pushes for nothing else."""
    if step.uses:
        return f"- uses: {step.uses}\n  with:\n    {_PUSH}"
    return "- if: github.event_name != 'pull_request'\n  run: <what pushes the image>"


def _is_apart(job: Job, step: Step) -> bool:
    """Whether what a pull request pushes has a tag of its own, so that it takes the place of no image in use."""
    given = {pair.name: pair.value for pair in step.inputs}.get("tags", "")
    if "steps." in given:
        made = [item for item in job.steps if item.uses.startswith("docker/metadata-action@")]
        told = " ".join(pair.value for item in made for pair in item.inputs)
        return bool(made) and not _FIXED.search(told)  # by itself it tags pull requests by their number
    texts = [*given.replace(",", "\n").split("\n"), *(" ".join(item.words) for item in step.commands)]
    pushed = [text for text in texts if text.strip() and (given or _PUSHES.search(text))]
    return bool(pushed) and all(_OWN_TAG.search(text) for text in pushed)


def _evidence(workflow: Workflow, job: Job, step: Step, place: Location) -> Evidence:
    apart = _is_apart(job, step)
    trigger = next(item for item in workflow.triggers if item.event == "pull_request")
    return Evidence(
        f"The job {job.id} pushes an image, and pull requests start it.",
        place,
        subject=f"{job.id}/{step.name or step.uses or step.index}",
        related=(Related(trigger.location, "pull requests start the workflow"),),
        recommendation=f"Push only where `github.event_name != 'pull_request'` in the job {job.id} of {workflow.file}.",
        severity=Severity.LOW if apart else None,
        change=("push: true", _PUSH),
        example=workflow_lines.step(workflow.file, job.id, _step_lines(step)),
    )
