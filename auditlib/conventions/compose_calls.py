"""Where a repository calls Docker Compose: in commands, in documents, in the texts of scripts for other hosts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.conventions import deployment, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Project, Service
from auditlib.model import Location
from auditlib.patterns import regex

_TEXT = regex(r"\b(?:docker|podman)[- ]compose\s[^;&|\n]*")
_NAME = "COMPOSE_PROJECT_NAME"
_COMPLETED = "service_completed_successfully"


def in_text(text: str) -> Iterator[Call]:
    """The calls in a line that isn't taken apart into commands: of a document, or of a script for another host."""
    yield from filter(None, (compose_command.of(found.split()) for found in _TEXT.findall(text)))


@answered_once
def everywhere(inventory: Inventory) -> tuple[tuple[Call, Location], ...]:
    """The calls that commands of the repository are, and those that documents name, each with its place."""
    return tuple(_everywhere(inventory))


def _everywhere(inventory: Inventory) -> Iterator[tuple[Call, Location]]:
    for command in deployment.commands(inventory):
        if call := compose_command.of(command.words):
            yield call, command.location
    for document in inventory.documents:
        for item in document.mentions:
            yield from ((call, item.location) for call in in_text(item.text))


@answered_once
def scaled(inventory: Inventory) -> dict[str, tuple[int, Location]]:
    """By name the services that commands of the repository start in several copies, also on a host by SSH."""
    remote = (command for step in inventory.steps for command in step.remote)
    found: dict[str, tuple[int, Location]] = {}
    for command in (*deployment.commands(inventory), *remote):
        call = compose_command.of(command.words) if "scale" in " ".join(command.words) else None
        for name, number in call.copies.items() if call else ():
            if number > 1:
                found.setdefault(name, (number, command.location))
    return found


def name_project(inventory: Inventory) -> bool:
    """Whether an environment file, a command or a document says what a project is called, by a variable or option."""
    in_files = any(line.name == _NAME for item in inventory.env_files for line in item.lines)
    in_commands = any(
        _NAME in item.assignments or any(word.startswith(f"{_NAME}=") for word in item.words)
        for item in deployment.commands(inventory)
    )
    in_texts = any(_NAME in item.text for document in inventory.documents for item in document.mentions)
    return in_files or in_commands or in_texts or any(call.project for call, _ in everywhere(inventory))


def take_more(inventory: Inventory, project: Project) -> bool:
    """Whether all that calls a project lays it over, or under, files beyond its own, which may have what it lacks.

    An overlay is read over the first file of its base alone.
    """
    own = _names(project.files)
    usual = own | _names(inventory.files_of(project.name)[:1])
    calls = [files for call, _ in everywhere(inventory) if own & (files := _names(call.files))]
    return bool(calls) and all(files - usual for files in calls)


def _names(files: Iterable[str]) -> set[str]:
    return set(map(posixpath.basename, files))


def services_of(inventory: Inventory, text: str) -> tuple[Service, ...]:
    """The services of the Compose files that the calls of a text name; all where it names none that is there."""
    named = {posixpath.basename(file) for call in in_text(text) for file in call.files}
    found = tuple(item for item in inventory.services if posixpath.basename(item.location.file) in named)
    there = any(posixpath.basename(file) in named for project in inventory.projects for file in project.files)
    return found if there else inventory.services


def started(inventory: Inventory, up: Command) -> list[Service]:
    """The services that a call of `up` names, or those that it starts without naming any."""
    call = compose_command.of(up.words)
    named = call.services if call else ()
    found = services_of(inventory, " ".join(up.words))
    return [item for item in found if item.name in named or (not named and not item.profiles)]


def leaves_ended(inventory: Inventory, up: Command) -> bool:
    """Whether a service that is started ends by itself, and nothing waits for that: `--wait` takes it for a failure."""
    mine = started(inventory, up)
    waited = {item.service for service in mine for item in service.dependencies if item.condition == _COMPLETED}
    return any(services.is_one_shot(item) and item.name not in waited for item in mine)
