"""What is known of the server that a service runs: the traits that its code, its settings or its command have."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib.conventions import image_folders, mounts, services, starting
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service

_WAITS = frozenset({"--graceful-timeout", "--timeout-graceful-shutdown"})
"""Of gunicorn, and of uvicorn."""


def of(inventory: Inventory, service: Service, kind: str) -> list[ServerTrait]:
    """The traits of a kind that the code of a service has, where it is built here."""
    found = [item for item in inventory.server_traits if item.kind == kind]
    dockerfile = services.dockerfile(inventory, service) if found else None
    homes = image_folders.of_sources(service, dockerfile) if dockerfile else []
    return [item for item in found if any(mounts.is_below(item.location.file, home) for home in homes)]


def waits(inventory: Inventory, service: Service) -> list[ServerTrait]:
    """How many seconds a service lets requests end once it is told to stop: by its command, else by its code."""
    return list(_told(inventory, service)) or of(inventory, service, "shutdown")


def _told(inventory: Inventory, service: Service) -> Iterator[ServerTrait]:
    for start in starting.of(inventory, service):
        parts = [part for word in start.words for part in word.replace("=", " ").split()]
        for option, value in itertools.pairwise(parts):
            if option in _WAITS and value.isdigit():
                yield ServerTrait("shutdown", int(value), start.location)
