"""The environment files that commands of the repository give Compose (`--env-file deploy/staging.env`)."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.model import Location


def missing(inventory: Inventory) -> dict[str, list[Location]]:
    """By path those that are in no folder from which the command may be run, each with the commands."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for command in deployment.commands(inventory):
        call = compose_command.of(command.words) if any("--env-file" in word for word in command.words) else None
        for path in call.env_files if call else ():
            plain = path and not path.startswith(("/", "~", "..")) and not re.search(r"[$%{<]", path)
            folders = ("", command.folder, posixpath.dirname(command.location.file))
            if plain and not any(_is_there(inventory, folder, path) for folder in folders):
                found[posixpath.normpath(path)].append(command.location)
    return dict(found)


def _is_there(inventory: Inventory, folder: str, path: str) -> bool:
    return posixpath.normpath(posixpath.join(folder, path)) in inventory.file_set


def words_beside(words: tuple[str, ...]) -> Iterator[str]:
    """The words of a command less the environment files that it gives Compose."""
    for before, word in zip(("", *words), words, strict=False):
        if before != "--env-file" and not word.startswith("--env-file="):
            yield word
