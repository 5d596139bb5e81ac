"""Which images a job of a workflow pushes, under which names and tags, as far as its files write them out.

Follows https://github.com/docker/build-push-action#inputs, https://github.com/docker/metadata-action#inputs and
https://docs.github.com/en/actions/reference/workflows-and-actions/contexts for `env`, `matrix` and `steps`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from auditlib.inventory.delivery import Job, Pair, Step, Workflow
from auditlib.model import Location
from auditlib.patterns import regex

_EXPRESSION = regex(r"\$\{\{\s*(?P<text>[^}]*?)\s*\}\}")
_VARIABLE = regex(r"\$(?:\{(?P<long>\w+)\}|(?P<short>\w+))")
_META = regex(r"steps\.(?P<step>[\w-]+)\.outputs\.(?:tags|version|json)")
_PUSH = regex(r"^(?:docker|podman|nerdctl)\s+(?:image\s+)?push\s+(?:--?\S+\s+)*(?P<image>\S+)$")
_BUILD_AND_PUSH = regex(r"^docker\s+(?:buildx\s+)?build\b.*\s--push(?:\s|$)")
_OUTPUTS = regex(r"(?:^|[,\s])(?:push=true|type=registry)(?:[,\s]|$)")
_NAME = regex(r"(?:^|[,\s\"])name=(?P<name>[^,\s\"]+)(?!\S*\")|\"name=(?P<several>[^\"]+)\"")
"""The name in `type=image,name=ghcr.io/acme/api,push=true`; several stand in quotes."""
_TAGGED = regex(r"\s(?:-t|--tag)[\s=](?P<image>\S+)")
_RELEASE = regex(
    r"latest|stable|prod|release|semver|github\.ref_name|version|refs/tags|type=(?:raw|ref,event=(?:branch|tag)|edge)",
    re.I,
)
_TEXT = 4_000
_VALUES = 20
_DEPTH = 4


class Pushed(Struct, frozen=True):
    """A reference under which a step pushes an image; what only a run knows stays in it as `${{ … }}`."""

    reference: str
    step: Step
    location: Location
    released: bool
    """Whether its tag is one under which a deployment may take it: not that of a commit alone."""


def of(workflow: Workflow, job: Job) -> Iterator[Pushed]:
    """The images that a job pushes; one of a matrix once for each of its values."""
    for step in job.steps:
        known = variables(workflow, job, step)
        for text, place in _references(job, step, known):
            for reference in expanded(text, job, known):
                tag = reference.rpartition("/")[2].partition(":")[2]
                released = not tag or bool(_RELEASE.search(tag)) or "steps." in text
                yield Pushed(reference, step, place, released and not _only_commits(job, text))


def variables(workflow: Workflow, job: Job, step: Step) -> dict[str, str]:
    """The variables that a step sees, those that are set for it alone winning; one that only hands on says nothing."""
    known: dict[str, str] = {}
    for pair in (*workflow.env, *job.env, *step.env):
        handed_on = pair.name in known and pair.value.strip("${ }") == f"env.{pair.name}"
        known[pair.name] = known[pair.name] if handed_on else pair.value
    return known


def _references(job: Job, step: Step, known: Mapping[str, str]) -> Iterator[tuple[str, Location]]:
    inputs = {pair.name: pair for pair in step.inputs}
    pushes = inputs["push"].value != "false" if "push" in inputs else pushes_by(inputs) is not None
    if pushes and step.uses.startswith("docker/build-push-action@"):
        yield from ((tag, pair.location) for pair in named(step) for tag in _split(pair.value))
    for command in step.commands:
        text = " ".join(command.words)[:_TEXT]
        if match := _PUSH.match(_EXPRESSION.sub(lambda found: found[0].replace(" ", ""), text)):
            yield match["image"], command.location
        elif _BUILD_AND_PUSH.search(text):
            joined = _EXPRESSION.sub(lambda found: found[0].replace(" ", ""), text)
            yield from ((match["image"], command.location) for match in _TAGGED.finditer(joined))


def pushes_by(inputs: Mapping[str, Pair]) -> Pair | None:
    """The input by which an action that builds pushes, whatever starts it; None if it doesn't, or on a condition."""
    push, outputs = inputs.get("push"), inputs.get("outputs")
    if push is not None and push.value in ("true", "false"):
        return push if push.value == "true" else None
    return outputs if outputs and push is None and _OUTPUTS.search(outputs.value) else None


def named(step: Step) -> Iterator[Pair]:
    """What tells an action that builds how the image is called: its tags, or the name in its outputs."""
    for pair in step.inputs:
        if pair.name == "tags":
            yield pair
        elif pair.name == "outputs" and (found := _NAME.search(pair.value)):
            yield Pair("outputs", found["name"] or found["several"], pair.location)


def _value(step: Step, name: str) -> str:
    return next((pair.value for pair in step.inputs if pair.name == name), "")


def _split(text: str) -> list[str]:
    """The entries of a list that commas or lines part, as far as no expression is cut."""
    return [part.strip() for part in re.split(r"[,\n](?![^{}]*\}\})", text) if part.strip()]


def expanded(text: str, job: Job, known: Mapping[str, str]) -> list[str]:
    """A text with the variables, values of the matrix and outputs of the metadata action in their places."""
    found = [text]
    for _ in range(_DEPTH):
        found = [new for each in found[:_VALUES] for new in _step(each, job, known)]
    return list(dict.fromkeys(found))[:_VALUES]


def _step(text: str, job: Job, known: Mapping[str, str]) -> list[str]:
    """The text with its first expression that can be told replaced by each of its values."""
    for match in _EXPRESSION.finditer(text):
        if values := _values(match["text"], job, known):
            return [f"{text[: match.start()]}{value}{text[match.end() :]}"[:_TEXT] for value in values[:_VALUES]]
    for match in _VARIABLE.finditer(text):
        name = match["long"] or match["short"]
        if name in known and "${{" not in text[max(0, match.start() - 1) : match.start() + 2]:
            return [f"{text[: match.start()]}{known[name]}{text[match.end() :]}"[:_TEXT]]
    return [text]


def _values(expression: str, job: Job, known: Mapping[str, str]) -> list[str]:
    """What stands for an expression; nothing for one that only a run knows."""
    kind, _, name = expression.partition(".")
    if kind == "env" and name in known:
        return [known[name]]
    if kind == "matrix":
        return [value for key, values in (*job.matrix, *job.included) if key == name for value in values]
    if match := _META.search(expression):
        return [f"{image}:${{{{ steps.{match['step']}.version }}}}" for image in _images(job, match["step"])]
    return []


def _images(job: Job, identity: str) -> Iterator[str]:
    """The images of a metadata action, by the id of its step."""
    for step in job.steps:
        if step.id == identity and step.uses.startswith("docker/metadata-action@"):
            for entry in _value(step, "images").split("\n"):
                parts = [part.strip() for part in re.split(r",(?![^{}]*\}\})", entry) if part.strip()]
                options = [part for part in parts if re.match(r"(?:enable|type)=", part)]
                yield from (part.removeprefix("name=") for part in parts if part not in options)


def _only_commits(job: Job, text: str) -> bool:
    """Whether the metadata action makes tags of commits or pull requests alone."""
    match = _META.search(text)
    rules = [_value(step, "tags") for step in job.steps if match and step.id == match["step"]]
    return bool(rules and rules[0].strip()) and not _RELEASE.search(rules[0])
