"""Who takes an environment file that people keep: commands, containers, images.

Sources: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/ for the files that
Compose reads, and https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/ for those
that a container is given.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_context, builds, deployment, mounts
from auditlib.inventory import Inventory
from auditlib.patterns import regex

_HANDLES = frozenset({
    "nano", "vi", "vim", "code", "chmod", "chown", "test", "[", "[[", "ls", "echo", "printf", "rm", "git", "touch",
    "ll", "stat", "cat", "less", "head", "tail", "grep", "diff",
})  # fmt: skip
"""Programs that write a file, show it or look whether it is there: none hands what it says to another program."""
_COPIES = frozenset({"cp", "copy", "mv", "install", "Copy-Item"})
_FILE = regex(r"[^\s\"'=:;,()\[\]{}]*\.env[\w.-]*|[\w./-]+\.env\b")


def is_used(inventory: Inventory, path: str) -> bool:
    """Whether anything of the repository takes the file."""
    return _reaches_a_container(inventory, path) or is_read_by_commands(inventory, path)


def is_read_by_commands(inventory: Inventory, path: str) -> bool:
    """Whether a command of workflows, scripts, manifests or documents may hand the file on (`--env-file`, `source`), on
    another host too."""
    name = posixpath.basename(path)
    return any(name in files for files in map(_handed_on, _commands(inventory)))


def is_handed_on(inventory: Inventory, path: str) -> bool:
    """Whether a container gets the file, or a command names it by its whole path."""
    return _reaches_a_container(inventory, path) or any(
        path in found for words in _commands(inventory) for word in words for found in _FILE.findall(word)
    )


def _reaches_a_container(inventory: Inventory, path: str) -> bool:
    """Whether Compose reads the file, a service is given or mounts it, or an image takes it along."""
    for project in inventory.projects:
        if project.files and posixpath.join(posixpath.dirname(project.files[0]), ".env") == path:
            return True
    for service in inventory.services:
        given = any(posixpath.normpath(item.path) == path for item in service.env_files)
        if given or mounts.path_inside(service, path):
            return True
    return any(_is_taken(inventory, path))


def _is_taken(inventory: Inventory, path: str) -> Iterator[bool]:
    name = posixpath.basename(path)
    for _, build, file in builds.of(inventory):
        for item in builds.copies(file):
            yield any(posixpath.basename(word) == name for word in item.words[:-1])
            yield build_context.takes(inventory, build, item, path)


def _commands(inventory: Inventory) -> Iterator[tuple[str, ...]]:
    yield from (command.words for command in deployment.commands(inventory))
    yield from (command.words for step in inventory.steps for command in step.remote)
    for document in inventory.documents:
        for item in document.mentions:
            if item.kind == "command":
                yield tuple(item.text.split())


def _handed_on(words: tuple[str, ...]) -> set[str]:
    """The names of the environment files that a command may read to hand them on."""
    program = next((word for word in words if word != "sudo"), "")
    if program in _HANDLES:
        return set()
    taken = words[:-1] if program in _COPIES else words
    return {posixpath.basename(found) for word in taken for found in _FILE.findall(word)}
