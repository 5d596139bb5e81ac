"""Calls of Docker Compose, or of Podman in its place: what is done, with which files, to which services.

Follows https://docs.docker.com/reference/cli/docker/compose/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct

from auditlib.conventions import command_words, deployment
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.patterns import regex

_TEXT = regex(r"\b(?:docker|podman)[- ]compose\s[^;&|\n]*")
_FLAGS = {"logs": {"-f", "-t"}, "down": {"-v"}, "rm": {"-f", "-v"}}
"""Options of single verbs without a value, whose letters have one elsewhere."""
_OF_ONE = frozenset({"exec", "run"})
"""Verbs that name one service; what follows it is a command for its container."""
_NAME = "COMPOSE_PROJECT_NAME"


class Call(Struct, frozen=True):
    """A call of Compose: `verb` is `up`, `down` …; `options` stand before it, `arguments` after it."""

    verb: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The Compose files that it names."""
        return tuple(_values(self.options, "-f", "--file"))

    @property
    def profiles(self) -> frozenset[str]:
        """The profiles that it activates."""
        return frozenset(_values(self.options, "--profile"))

    @property
    def project(self) -> str:
        """The name that it gives the project."""
        return next(_values(self.options, "-p", "--project-name"), "")

    @property
    def services(self) -> tuple[str, ...]:
        """The services that it names."""
        flags = _FLAGS.get(self.verb, set())
        found: list[str] = []
        name, rest = command_words.split([word for word in self.arguments if word not in flags])
        while name:
            found.append(name)
            name, rest = command_words.split(rest) if self.verb not in _OF_ONE else ("", [])
        return tuple(found)

    @property
    def is_in_background(self) -> bool:
        """Whether what it starts goes on without it."""
        return not {"-d", "--detach"}.isdisjoint(self.arguments)

    @property
    def is_for_all(self) -> bool:
        """Whether it names no service."""
        return not self.services


def _values(options: Sequence[str], *names: str) -> Iterator[str]:
    for word, after in zip_longest(options, options[1:], fillvalue=""):
        name, equals, value = word.partition("=")
        if name in names:
            yield value if equals else after


def of(words: Sequence[str]) -> Call | None:
    """The call that a command is; None for another command."""
    program, *rest = command_words.core(list(words)) or [""]
    name = posixpath.basename(program)
    if name in ("docker", "podman"):
        verb, rest = command_words.split(rest)
        if verb != "compose":
            return None
    elif name not in ("docker-compose", "podman-compose"):
        return None
    verb, arguments = command_words.split(rest)
    options = rest[: len(rest) - len(arguments) - 1]
    return Call(verb, tuple(options), tuple(arguments)) if verb else None


def in_text(text: str) -> Iterator[Call]:
    """The calls in a line that isn't taken apart into commands: of a document, or of a script for another host."""
    yield from filter(None, (of(found.split()) for found in _TEXT.findall(text)))


def everywhere(inventory: Inventory) -> Iterator[tuple[Call, Location]]:
    """The calls that commands of the repository are, and those that documents name, each with its place."""
    for command in deployment.commands(inventory):
        if call := of(command.words):
            yield call, command.location
    for document in inventory.documents:
        for item in document.mentions:
            yield from ((call, item.location) for call in in_text(item.text))


def name_project(inventory: Inventory) -> bool:
    """Whether an environment file, a command or a document says what a project is called, by a variable or option."""
    in_files = any(line.name == _NAME for item in inventory.env_files for line in item.lines)
    in_commands = any(
        _NAME in item.assignments or any(word.startswith(f"{_NAME}=") for word in item.words)
        for item in deployment.commands(inventory)
    )
    in_texts = any(_NAME in item.text for document in inventory.documents for item in document.mentions)
    return in_files or in_commands or in_texts or any(call.project for call, _ in everywhere(inventory))


def services_of(inventory: Inventory, text: str) -> tuple[Service, ...]:
    """The services of the Compose files that the calls of a text name; all where it names none that is there."""
    named = {posixpath.basename(file) for call in in_text(text) for file in call.files}
    found = tuple(item for item in inventory.services if posixpath.basename(item.location.file) in named)
    there = any(posixpath.basename(file) in named for project in inventory.projects for file in project.files)
    return found if there else inventory.services
