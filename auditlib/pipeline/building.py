"""Which Dockerfiles the builds of a pipeline may be about, and the step that builds one."""

from __future__ import annotations

import posixpath
import shlex

from auditlib import pipeline
from auditlib.conventions import builds, command_texts, deployment, environments, services, tools
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.patterns import regex
from auditlib.pipeline import Pipeline, Run

_INPUT = regex(r"\b(?:context|file|dockerfile)=(?P<path>\S+)")


def counts(dockerfile: Dockerfile) -> bool:
    """Images for development alone need no build by a workflow."""
    return not environments.is_for_development(dockerfile.path)


def covers(run: Run, dockerfile: Dockerfile, inventory: Inventory, composed: set[str]) -> bool:
    """Whether a build may be one of this Dockerfile: a build that doesn't clearly name another one counts."""
    folder = posixpath.dirname(dockerfile.path)
    if "compose" in run.text.partition("build")[0]:
        return dockerfile.path in composed
    named = [match["path"] for match in _INPUT.finditer(run.text)] or _paths(run, inventory)
    if not named or any("$" in path for path in named):
        return True
    places = {posixpath.normpath(posixpath.join(run.folder or "", path)) for path in named} | {
        posixpath.normpath(path) for path in named
    }
    files = places & set(inventory.dockerfiles_by_path)
    return dockerfile.path in files if files else (folder or ".") in places


def composed_by(inventory: Inventory) -> set[str]:
    """The Dockerfiles that Compose builds."""
    return {item.path for service in inventory.services if (item := services.dockerfile(inventory, service))}


@answered_once
def by_nothing(inventory: Inventory) -> frozenset[str]:
    """The Dockerfiles that no command, document or workflow of the repository builds, where Compose builds others."""
    composed = composed_by(inventory)
    left = [item for item in inventory.dockerfiles if composed and item.path not in composed]
    found = pipeline.of(inventory, inventory.workflows) if left else None
    if found is None or may_build(found) or deployment.unfollowed_ci(inventory):
        return frozenset()
    runs = [run for run in found.runs if pipeline.builds_images(run, inventory)]
    left = [item for item in left if not any(covers(run, item, inventory, composed) for run in runs)]
    commands = [item.words for text in command_texts.texts(inventory) for item in text.commands]
    commands += [tuple(item.words) for document in inventory.documents for item in document.mentions
                 if item.kind in ("command", "call")]  # fmt: skip
    building = [" ".join(words) for words in commands if "build" in words or "buildx" in words]
    named = {item.path for item in left if any(_may_name(text, item.path) for text in building)}
    return frozenset(item.path for item in left) - named


def _may_name(command: str, path: str) -> bool:
    """Whether a command that builds may mean a Dockerfile, by the last folder of its path or a variable's value."""
    folder = posixpath.basename(posixpath.dirname(path)) or posixpath.basename(path)
    return "compose" not in command and ("$" in command or folder in command)


def _paths(run: Run, inventory: Inventory) -> list[str]:
    """The words of `docker build` that are a folder or a Dockerfile of the repository."""
    known = {posixpath.dirname(item.path) or "." for item in inventory.dockerfiles} | {
        item.path for item in inventory.dockerfiles
    }
    words = [posixpath.normpath(word.partition("=")[2] or word) for word in run.text.split()]
    return [
        word for word in words if word in known or posixpath.normpath(posixpath.join(run.folder or "", word)) in known
    ]


def may_build(found: Pipeline) -> bool:
    """Whether something that can't be followed may build images, by its name."""
    return any(tools.MAY_BUILD.search(run.text) for run in found.opaque)


def step(inventory: Inventory, dockerfile: Dockerfile) -> str:
    """The step that builds it, with the context that Compose builds it with, or that has what it copies."""
    users = [item for item in inventory.services if services.dockerfile(inventory, item) == dockerfile]
    own = posixpath.dirname(dockerfile.path) or "."
    usual = builds.context(inventory, dockerfile) or _of_action(inventory, dockerfile) or own
    build = next((item.build for item in users if item.build), None)
    pairs = zip(build.additional_contexts, build.context_paths, strict=True) if build else ()
    further = "".join(f" --build-context {shlex.quote(f'{name}={path}')}" for name, path in pairs)
    context = build.context if build else usual
    if not users and any(item.build and item.build.outside for item in inventory.services):
        return (
            f"- run: docker build --file {shlex.quote(dockerfile.path)} <the folder outside that Compose builds it in>"
        )
    stage = services.meant_stage(dockerfile)
    target = f" --target {shlex.quote(stage)}" if stage else ""
    return f"- run: docker build --file {shlex.quote(dockerfile.path)}{target}{further} {shlex.quote(context)}"


def _of_action(inventory: Inventory, dockerfile: Dockerfile) -> str:
    """The context that a workflow's action builds it with, by its name or by one that a matrix gives."""
    for item in inventory.steps:
        inputs = {pair.name: pair.value for pair in item.inputs} if "/build-push-action@" in item.uses else {}
        file, context = inputs.get("file", ""), inputs.get("context", "")
        if context and "$" not in context and ("$" in file or posixpath.normpath(file) == dockerfile.path):
            return context
    return ""
