"""What is known of the server that a service runs: the traits that its code, its settings or its command have."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import build_context, image_folders, mounts, services, starting
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_PROGRAM = regex(r"(?:^|/)cmd/(?P<name>[\w-]+)/")
_WAITS = frozenset({"--graceful-timeout", "--timeout-graceful-shutdown"})
"""Of gunicorn, and of uvicorn."""


def of(inventory: Inventory, service: Service, kind: str) -> list[ServerTrait]:
    """The traits of a kind that the code of a service has, where it is built here."""
    found = [item for item in inventory.server_traits if item.kind == kind]
    own = bool(found) and not image_folders.serves_files(inventory, service)
    dockerfile = services.dockerfile(inventory, service) if own else None
    homes = image_folders.of_sources(service, dockerfile) if dockerfile else []
    mine = [item for item in found if any(mounts.is_below(item.location.file, home) for home in homes)]
    mine += [item for item in found if item not in mine and dockerfile and _is_built(service, dockerfile, item)]
    return [item for item in mine if dockerfile and is_of(inventory, service, dockerfile, item.location.file)]


def is_of(inventory: Inventory, service: Service, dockerfile: Dockerfile, path: str) -> bool:
    """Whether a file belongs to the program that a service starts: of several in Go each has a folder below `cmd`."""
    match = _PROGRAM.search(path)
    if match is None:
        return True
    words = [word for command in services.commands(inventory, service) for word in command.words]
    built = [value.text for _, value in service.build.arguments if value] if service.build else []
    names = {posixpath.basename(word) for word in (*words, *built, service.name)}
    return match["name"] in names or _names(dockerfile, match["name"])


def _names(dockerfile: Dockerfile, program: str) -> bool:
    """Whether an instruction names the folder of a program below `cmd`, not one whose name only begins so."""
    named = re.compile(rf"(?<![\w-])cmd/{re.escape(program)}(?![\w-])")
    return any(named.search(item.argument) for item in dockerfile.instructions)


def _is_built(service: Service, dockerfile: Dockerfile, trait: ServerTrait) -> bool:
    """Whether an image that holds the whole context is built of the one program that a trait is of."""
    match = _PROGRAM.search(trait.location.file)
    if match is None or service.build is None or not _names(dockerfile, match["name"]):
        return False
    home = build_context.path_outside(service.build, f"cmd/{match['name']}")
    return mounts.is_below(trait.location.file, home)


def waits(inventory: Inventory, service: Service) -> list[ServerTrait]:
    """How many seconds a service lets requests end once it is told to stop: by its command, else by its code."""
    return list(_told(inventory, service)) or of(inventory, service, "shutdown")


def _told(inventory: Inventory, service: Service) -> Iterator[ServerTrait]:
    for start in starting.of(inventory, service):
        parts = [part for word in start.words for part in word.replace("=", " ").split()]
        for option, value in itertools.pairwise(parts):
            if option in _WAITS and value.isdigit():
                yield ServerTrait("shutdown", int(value), start.location)
