"""What runs where the software is in use: scripts that deploy, commands of servers, and what containers start by."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import command_texts, environments
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command
from auditlib.pipeline import deploying

_STARTS = frozenset({"ENTRYPOINT", "CMD"})


class ServerText(Struct, frozen=True):
    """Commands of one file; `starts` says that a container begins with them."""

    path: str
    called: str
    commands: tuple[Command, ...]
    starts: bool = False

    @property
    def opening(self) -> str:
        """What it is called at the beginning of a sentence."""
        return command_texts.opening(self.called)


@answered_once
def texts(inventory: Inventory) -> tuple[ServerText, ...]:
    """All of them, but for those for development and tests."""
    return (*_of_repository(inventory), *_of_containers(inventory))


def _of_repository(inventory: Inventory) -> Iterator[ServerText]:
    deploy = {item.path for item in deploying.server_scripts(inventory) if item.path}
    entry = entry_scripts(inventory)
    for text in command_texts.texts(inventory):
        if text.kind == "remote" or (text.kind == "script" and text.path in deploy | entry):
            yield ServerText(text.path, text.called, text.commands, text.path in entry)


def _of_containers(inventory: Inventory) -> Iterator[ServerText]:
    for service in inventory.deployed_services:
        if service.commands and not environments.only_for_development(service):
            yield ServerText(service.location.file, f"the command of {service.name}", service.commands, starts=True)
    for file in inventory.dockerfiles:
        for item in file.instructions if not stages.is_for_development(file.path) else ():
            if item.keyword in _STARTS and item.commands:
                yield ServerText(file.path, f"the start of {file.path}", item.commands, starts=True)


@answered_once
def entry_scripts(inventory: Inventory) -> frozenset[str]:
    """The scripts by whose names images, or services, start."""
    words = [
        word
        for file in inventory.dockerfiles
        for item in file.instructions
        if item.keyword in _STARTS and not stages.is_for_development(file.path)
        for word in item.words
    ]
    words += [word for item in inventory.deployed_services for word in (*item.entrypoint, *item.command)]
    names = {word.rpartition("/")[2] for word in words}
    return frozenset(
        item.path
        for item in inventory.scripts
        if item.path.rpartition("/")[2] in names and not stages.is_for_development(item.path)
    )
