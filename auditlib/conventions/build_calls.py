"""Where workflows, scripts and manifests build an image of the repository, and what they tell the build.

Follows https://docs.docker.com/reference/cli/docker/buildx/build/ and
https://github.com/docker/build-push-action#inputs. A call whose Dockerfile only a run knows is left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from auditlib.conventions.workspaces import Workspace, is_checkout
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command, Step
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.model import Location
from auditlib.patterns import regex

_BUILDERS = frozenset({"docker", "podman", "nerdctl", "buildah", "finch"})
_VERBS = frozenset({"build", "buildx", "builder", "image", "bud"})
_LEAVES = regex(r"\bpush\b|docker (?:image )?save\b|\bssh\b|\bscp\b|\brsync\b|deploy|kind load")
_TAKES = regex(r"ssh|deploy|upload-artifact|ecr|gcloud|azure")
"""Actions that may take an image to where it runs."""
_SWITCHES = frozenset({
    "--no-cache", "--pull", "--push", "--load", "--quiet", "-q", "--rm", "--force-rm", "--squash", "--compress", "-D",
    "--debug", "--check", "--layers", "--tls-verify",
})  # fmt: skip
"""Options that take no value of their own."""


_FOLDERS = r"(?:[\w./-]+/)?"
_VARIABLE = regex(r"\$\{\{[^{}]{1,200}\}\}|\$\{\w+\}|\$\w+")
_MOST_VARIABLES = 3
"""Of a path: each may stand for anything, which takes the longer to try the more there are."""


class BuildCall(Struct, frozen=True):
    """A build by a command or an action; `caller` says whose it is, as the subject of a sentence."""

    caller: str
    dockerfile: Dockerfile
    location: Location
    target: str = ""
    target_location: Location | None = None
    arguments: tuple[str, ...] = ()
    """The names of the arguments that are passed."""
    arguments_location: Location | None = None
    leaves: bool = True
    """Whether the image goes anywhere: not one that a job of a workflow builds to see whether it can be built."""
    among: tuple[Dockerfile, ...] = ()
    """All that it may be, where a variable is in the path of the Dockerfile (`-f "Dockerfile.$service"`)."""


@answered_once
def of(inventory: Inventory) -> tuple[BuildCall, ...]:
    """Every build of a Dockerfile of the repository that isn't Compose's."""
    return tuple(item for item in _all(inventory) if not item.among)


def of_several(inventory: Inventory) -> tuple[BuildCall, ...]:
    """The builds of which only a run knows the Dockerfile, and the files which it can be."""
    return tuple(item for item in _all(inventory) if item.among)


@answered_once
def _all(inventory: Inventory) -> tuple[BuildCall, ...]:
    return (*_of_steps(inventory), *_of_programs(inventory))


def _of_steps(inventory: Inventory) -> Iterator[BuildCall]:
    for job in inventory.jobs:
        here, by_itself = Workspace(inventory, job).holds_repository, not any(map(is_checkout, job.steps))
        leaves = any(_LEAVES.search(item.run) or _TAKES.search(item.uses) for item in job.steps)
        for step in job.steps:
            caller = f"The step {step.name or step.index + 1} of the job {job.id}"
            if "/build-push-action@" in step.uses and (here or by_itself):  # which can fetch the repository
                yield from _of_action(inventory, step, caller)
            folder = step.working_directory or job.working_directory
            for call in _of_commands(inventory, step.commands if here else (), (folder,), caller):
                yield replace(call, leaves=leaves)


def _of_programs(inventory: Inventory) -> Iterator[BuildCall]:
    """The builds of scripts, which run in the root or in their own folder, and of make targets and npm scripts."""
    for script in inventory.scripts:
        yield from _of_commands(inventory, script.commands, ("", posixpath.dirname(script.path)), script.path)
    for manifest in inventory.manifests:
        for target in manifest.targets:
            caller = f"The target {target.name} of {manifest.path}"
            yield from _of_commands(inventory, target.commands, (posixpath.dirname(manifest.path),), caller)


def _of_action(inventory: Inventory, step: Step, caller: str) -> Iterator[BuildCall]:
    inputs = {pair.name: pair for pair in step.inputs}
    context, name, target = (inputs[key].value if key in inputs else "" for key in ("context", "file", "target"))
    place = ("",), "" if name else context, name or "Dockerfile"
    found, among = _dockerfile(inventory, *place), _alike(inventory, *place)
    given = inputs.get("build-args")
    lines = (line.strip().partition("=") for line in (given.value if given else "").splitlines())
    if found or among:
        yield BuildCall(
            caller,
            found or among[0],
            step.location,
            target,
            inputs["target"].location if target else None,
            tuple(key for key, equals, _ in lines if equals and key.isidentifier()),
            given.location if given else None,
            leaves=("push" in inputs and inputs["push"].value != "false") or "outputs" in inputs,
            among=() if found else among,
        )


def _of_commands(
    inventory: Inventory, commands: Iterable[Command], folders: tuple[str, ...], caller: str
) -> Iterator[BuildCall]:
    for command in commands:
        words = _words(command)
        options, context = _options(words) if words else ({}, "")
        file = next(iter(options.get("--file", ())), "")
        places = (command.folder,) if command.folder else folders
        place = places, "" if file else context, file or "Dockerfile"
        found, among = (_dockerfile(inventory, *place), _alike(inventory, *place)) if words else (None, ())
        if found or among:
            names = tuple(text.partition("=")[0] for text in options.get("--build-arg", ()))
            target = next(iter(options.get("--target", ())), "")
            yield BuildCall(
                caller,
                found or among[0],
                command.location,
                target,
                arguments=tuple(name for name in names if name.isidentifier()),
                among=() if found else among,
            )


def context(command: Command) -> str:
    """The folder that a command builds an image from, as it is written; empty for another command."""
    words = _words(command)
    return _options(words)[1] if words else ""


def _words(command: Command) -> list[str]:
    """The words behind the verb of a build; none of another command."""
    words = list(command.words)
    while words and words[0] in ("sudo", "exec", "time", "env", "command", "@docker"):
        words = words[1:]
    if not words or words[0] not in _BUILDERS:
        return []
    index = 1
    while index < len(words) and words[index] in _VERBS and words[index - 1] not in ("build", "bud"):
        index += 1
    return words[index:] if words[index - 1] in ("build", "bud") else []


_SHORT = {"-f": "--file", "-t": "--tag"}


def _options(words: list[str]) -> tuple[dict[str, list[str]], str]:
    """The values of the options, each under its long name, and the context."""
    found: dict[str, list[str]] = {}
    context, index = "", 0
    while index < len(words):
        name, equals, value = words[index].partition("=")
        if not name.startswith("-") or name == "-":
            context = words[index]  # the last one: an expression of a workflow may be several words
        elif not equals and name not in _SWITCHES:
            index += 1
            value = words[index] if index < len(words) else ""
        found.setdefault(_SHORT.get(name, name), []).append(value)
        index += 1
    return found, context


def _dockerfile(inventory: Inventory, folders: Iterable[str], context: str, name: str) -> Dockerfile | None:
    """The Dockerfile that is meant; none where a part of its path is only known to a run."""
    if any(sign in context + name for sign in "$`{"):
        return None
    paths = (posixpath.normpath(posixpath.join(folder, context, name)) for folder in folders)
    return next((inventory.dockerfiles_by_path[path] for path in paths if path in inventory.dockerfiles_by_path), None)


def _alike(inventory: Inventory, folders: Iterable[str], context: str, name: str) -> tuple[Dockerfile, ...]:
    """The Dockerfiles that may be meant where variables are in the path, and something else that tells them."""
    told, variables = _VARIABLE.subn("", context + name)
    if not told or "$" in told or not 0 < variables <= _MOST_VARIABLES:
        return ()
    found: dict[str, Dockerfile] = {}
    for folder in folders:
        path = posixpath.normpath(posixpath.join(folder, context, _VARIABLE.sub("\0", name)))
        parts = re.escape(_VARIABLE.sub("\0", path)).replace("\0/", _FOLDERS).replace("\0", r"[\w./-]*")
        pattern = re.compile(parts)
        found |= {item.path: item for item in inventory.dockerfiles if pattern.fullmatch(item.path)}
    return tuple(found.values())
