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

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.conventions import pushed_images, tools, workflow_events
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, ScriptTarget, Step, Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_PUSHES = regex(r"^(?:docker|podman|buildah|nerdctl)\s+(?:image\s+|manifest\s+)?push\b|^docker[ -]compose\b.*\spush\b")
_BUILDS_AND_PUSHES = regex(r"^docker\s+(?:buildx\s+)?(?:build|bake)\b.*\s--push(?:\s|=true|$)")
_PUSH = "push: ${{ github.event_name != 'pull_request' }}"
_FIXED = regex(r"type=(?:raw|edge)|latest=true|value=latest")
_OWN_TAG = regex(
    r"hashFiles\(|github\.(?:sha|ref_name|run_id|run_number|head_ref|event\.(?:number|pull_request))|GITHUB_SHA|GITHUB_RUN_|refs?/pull"
)
_LOCAL = regex(r"localhost|127\.0\.0\.1|\bkind\b|ttl\.sh")
"""Registries that end with the job."""
_ASKS = regex(r"event_name|GITHUB_EVENT_NAME|GITHUB_REF")
_ASKS_BEFORE = regex(r"github\.(?:ref|head_ref|base_ref|event)\b|github\.ref_|GITHUB_(?:HEAD_|BASE_)?REF|GITHUB_EVENT")
"""What a condition before a command looks at to tell a pull request from a push."""
_SET = regex(r"\$\{\{\s*env\.(\w+)\s*\}\}|\$\{?(\w+)\}?")
_OUTPUT = regex(r"\bsteps\.([\w-]+)\.outputs")
_UNKNOWN = regex(r"\$\{\{\s*(?:steps|needs|inputs|vars|matrix|env)\.|\$")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every push of an image in a job that pull requests start, where no condition asks what started it."""
    for workflow in inventory.workflows:
        if not workflow_events.runs_for_pull_requests(workflow):
            continue
        for job in workflow.jobs:
            if not _is_conditional(workflow, job):
                for step, places in _pushes(workflow, _with_targets(inventory, job)):
                    yield _evidence(workflow, job, step, places)


def _with_targets(inventory: Inventory, job: Job) -> Job:
    """The job with the commands of the make targets that its steps call in their places."""
    if not any(item.words[:1] == ("make",) for step in job.steps for item in step.commands):
        return job
    steps = [
        replace(step, commands=tuple(each for item in step.commands for each in _called(inventory, job, step, item)))
        for step in job.steps
    ]
    return replace(job, steps=tuple(steps))


def _called(inventory: Inventory, job: Job, step: Step, command: Command) -> Iterator[Command]:
    """A command, or those of the target that it has make bring about, those apart that come under a condition."""
    targets: list[ScriptTarget] = []
    if command.words[:1] == ("make",):
        home = normal(posixpath.join(step.working_directory or job.working_directory, command.folder))
        files = [item for item in inventory.manifests if item.kind == "make" and posixpath.dirname(item.path) == home]
        targets = [item for file in files for item in file.targets if item.name in command.words[1:]]
    plain = [item for target in targets for item in target.commands if not _ASKS.search(target.text)]
    made = [replace(item, location=command.location) for item in plain if not item.conditional]
    yield from made or [command]


def _is_conditional(workflow: Workflow, job: Job) -> bool:
    """Whether a condition stands before the job or before one that it needs."""
    needed = [other for other in workflow.jobs if other.id in job.needs]
    return bool(job.condition) or any(other.condition for other in needed)


def _pushes(workflow: Workflow, job: Job) -> Iterator[tuple[Step, list[Location]]]:
    """The steps that push, each with the places where they do."""
    for step in job.steps:
        if step.condition:
            continue
        inputs = {pair.name: pair for pair in step.inputs}
        pushing = pushed_images.pushes_by(inputs) if tools.IMAGE_ACTIONS.search(step.uses) else None
        places = [pushing.location] if pushing else []
        places += [item.location for item in step.commands if _is_push(workflow, job, step, item)]
        if places and not all(map(_LOCAL.search, _pushed(workflow, job, step))):
            yield step, places


def _is_push(workflow: Workflow, job: Job, step: Step, command: Command) -> bool:
    """Whether a command pushes an image, and neither its step nor a condition before it asks what started the job."""
    text = " ".join(command.words)
    if not (_PUSHES.search(text) or _BUILDS_AND_PUSHES.search(text)) or _ASKS.search(step.run):
        return False
    given = " ".join(pair.value for pair in (*workflow.env, *job.env, *step.env))
    asked = command.conditional and _ASKS_BEFORE.search(f"{step.run} {given}")
    return not asked and not _LOCAL.search(_filled_in(workflow, job, step, text))


def _filled_in(workflow: Workflow, job: Job, step: Step, text: str) -> str:
    """A text with the variables that the workflow, the job and the step set in their places."""
    known = {pair.name: pair.value for pair in (*workflow.env, *job.env, *step.env)}
    for _ in range(3):  # a variable may be made of others
        text = _SET.sub(lambda match: known.get(match[1] or match[2], match[0]), text)
    return text


def _pushed(workflow: Workflow, job: Job, step: Step) -> list[str]:
    """What a step pushes: the tags that an action is given, or the commands that push."""
    given = "\n".join(pair.value for pair in pushed_images.named(step))
    texts = given.replace(",", "\n").split("\n") if given else [" ".join(item.words) for item in step.commands]
    filled = [_filled_in(workflow, job, step, text) for text in texts if text.strip()]
    return [text for text in filled if given or _PUSHES.search(text) or _BUILDS_AND_PUSHES.search(text)]


def _step_lines(step: Step) -> str:
    """The step that builds for pull requests too, or the command that pushes for nothing else."""
    if step.uses and "push" not in {pair.name for pair in step.inputs}:
        return f"- uses: {step.uses}\n  with:\n    tags: <the image>\n    {_PUSH}   # in place of outputs"
    if step.uses:
        return f"- uses: {step.uses}\n  with:\n    {_PUSH}"
    return "- if: github.event_name != 'pull_request'\n  run: <what pushes the image>"


def _is_apart(job: Job, step: Step, pushed: list[str]) -> bool:
    """Whether what a pull request pushes has a tag of its own, so that it takes the place of no image in use."""
    if made := _tagging(job, pushed):  # which by itself tags pull requests by their number
        lines = (line for item in made for pair in item.inputs for line in pair.value.splitlines())
        return not any(_FIXED.search(line) for line in lines if "enable=" not in line)  # which tells branches apart
    return bool(pushed) and all(_OWN_TAG.search(_made_of(job, step, text)) for text in pushed)


def _tagging(job: Job, pushed: list[str]) -> list[Step]:
    """The steps of the action that makes tags, where what is pushed has its outputs."""
    if not any("steps." in text for text in pushed):
        return []
    return [item for item in job.steps if item.uses.startswith("docker/metadata-action@")]


def _made_of(job: Job, step: Step, text: str) -> str:
    """What is pushed, with the text of the steps that a variable or an output of it may come from."""
    asked = set(_OUTPUT.findall(text))
    texts = [item.run for item in job.steps if item.id in asked]
    return " ".join((text, *texts, step.run if "$" in text else ""))


def _severity(workflow: Workflow, job: Job, step: Step) -> Severity | None:
    """Slight where the image has a tag of its own; not as bad as usual where no file tells which tag it has."""
    pushed = _pushed(workflow, job, step)
    if _is_apart(job, step, pushed):
        return Severity.LOW
    return Severity.MEDIUM if not _tagging(job, pushed) and any(map(_UNKNOWN.search, pushed)) else None


def _evidence(workflow: Workflow, job: Job, step: Step, places: list[Location]) -> Evidence:
    trigger = next(item for item in workflow.triggers if item.event == "pull_request")
    return Evidence(
        f"The job {job.id} pushes an image, and pull requests start it.",
        places[0],
        subject=f"{job.id}/{step.name or step.uses or step.index}",
        related=(
            Related(trigger.location, "pull requests start the workflow"),
            *(Related(place, "pushes another one", member=True) for place in places[1:]),
        ),
        recommendation=f"Push only where `github.event_name != 'pull_request'` in the job {job.id} of {workflow.file}.",
        severity=_severity(workflow, job, step),
        change=("push: true", _PUSH),
        example=workflow_lines.step(workflow.file, job.id, _step_lines(step)),
    )
