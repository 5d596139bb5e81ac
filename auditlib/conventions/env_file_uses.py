"""Who takes an environment file that people keep: commands, containers, images; and what Compose doesn't take from it.

Sources: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/ for the files that
Compose reads, and https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/ for those
that a container is given.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import build_context, builds, deployment, env_readers, environments, mounts
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import EnvFileReference, Project, Variable
from auditlib.patterns import regex

_HANDLES = frozenset({
    "nano", "vi", "vim", "code", "chmod", "chown", "test", "[", "[[", "ls", "echo", "printf", "rm", "git", "touch",
    "ll", "stat", "cat", "less", "head", "tail", "grep", "diff",
})  # fmt: skip
"""Programs that write a file, show it or look whether it is there: none hands what it says to another program."""
_COPIES = frozenset({"cp", "copy", "mv", "install", "Copy-Item"})
_FILE = regex(r"[^\s\"'=:;,()\[\]{}]*\.env[\w.-]*|[\w./-]+\.env\b")


class Missed(Struct, frozen=True):
    """Variables that Compose fills in and that are to be set in a file which it only gives to containers."""

    project: Project
    path: str
    reference: EnvFileReference
    variables: tuple[Variable, ...]


def missed(inventory: Inventory) -> Iterator[Missed]:
    """By base project and file of `env_file` the variables that may be unset and that only this file would set."""
    by_project: defaultdict[str, list[Variable]] = defaultdict(list)
    for item in inventory.variables:
        if item.operator in (":-", "-", "") and item.source in ("default", "unset") and item.service:
            by_project[item.project].append(item)
    for project in inventory.base_projects:
        used = by_project[project.name] if not environments.is_for_development(project.files[0]) else []
        for path, reference in (_given(inventory, project) if used else {}).items():
            names = set(env_readers.of_file(inventory, path)) - _in_own_file(inventory, project, path)
            found = tuple(item for item in used if item.name in names)
            if found and not is_read_by_commands(inventory, path):
                yield Missed(project, path, reference, found)


def of_compose(project: Project) -> str:
    """The file that Compose itself reads for a project."""
    return posixpath.join(posixpath.dirname(project.files[0]), ".env")


def _given(inventory: Inventory, project: Project) -> dict[str, EnvFileReference]:
    """The environment files that services are given and that Compose doesn't read by itself."""
    found: dict[str, EnvFileReference] = {}
    for service in inventory.services_of(project.name).values():
        for item in service.env_files:
            if posixpath.normpath(item.path) != of_compose(project):
                found.setdefault(posixpath.normpath(item.path), item)
    return found


def _in_own_file(inventory: Inventory, project: Project, path: str) -> set[str]:
    """What the `.env` beside the Compose file sets, or its template; one for development sets nothing in production."""
    if stages.names_production(path) and stages.names_production(project.files[0]):
        return set()
    return set(env_readers.of_file(inventory, of_compose(project)))


def is_used(inventory: Inventory, path: str) -> bool:
    """Whether anything of the repository takes the file."""
    return _reaches_a_container(inventory, path) or is_read_by_commands(inventory, path)


def is_read_by_commands(inventory: Inventory, path: str) -> bool:
    """Whether a command of workflows, scripts, manifests or documents may hand the file on (`--env-file`, `source`), on
    another host too, or a makefile includes it.
    """
    name = posixpath.basename(path)
    if any(posixpath.basename(item) == name for manifest in inventory.manifests for item in manifest.env_files):
        return True
    return any(name in files for files in map(_handed_on, _commands(inventory)))


def is_handed_on(inventory: Inventory, path: str) -> bool:
    """Whether a container gets the file, or a command names it by its whole path."""
    return _reaches_a_container(inventory, path) or any(
        path in found for words in _commands(inventory) for word in words for found in _FILE.findall(word)
    )


def _reaches_a_container(inventory: Inventory, path: str) -> bool:
    """Whether Compose reads the file, a service is given or mounts it, or an image takes it along."""
    for project in inventory.projects:
        if project.files and of_compose(project) == path:
            return True
    return is_given(inventory, path)


def is_given(inventory: Inventory, path: str) -> bool:
    """Whether a service is given the file or mounts it, or an image takes it along."""
    mounted = any(mounts.path_inside(service, path) for service in inventory.services)
    return path in _env_files(inventory) or mounted or any(_is_taken(inventory, path))


@answered_once
def _env_files(inventory: Inventory) -> frozenset[str]:
    """The environment files of services."""
    return frozenset(posixpath.normpath(item.path) for service in inventory.services for item in service.env_files)


def _is_taken(inventory: Inventory, path: str) -> Iterator[bool]:
    name = posixpath.basename(path)
    for _, build, file in builds.of(inventory):
        for item in builds.copies(file):
            yield any(posixpath.basename(word) == name for word in item.words[:-1])
            yield build_context.takes(inventory, build, item, path)


def _commands(inventory: Inventory) -> Iterator[tuple[str, ...]]:
    yield from (command.words for command in deployment.commands(inventory))
    yield from (command.words for step in inventory.steps for command in step.remote)
    yield from (tuple(item.text.split()) for item in deployment.documented_commands(inventory))


def _handed_on(words: tuple[str, ...]) -> set[str]:
    """The names of the environment files that a command may read to hand them on."""
    program = next((word for word in words if word != "sudo"), "")
    if program in _HANDLES:
        return set()
    taken = words[:-1] if program in _COPIES else words
    return {posixpath.basename(found) for word in taken for found in _FILE.findall(word)}
