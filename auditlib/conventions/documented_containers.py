"""Services and containers that the commands of documents name, and whether Compose or another command starts them.

Follows https://docs.docker.com/reference/cli/docker/compose/ for the arguments of Compose's commands, and
https://docs.docker.com/reference/cli/docker/container/exec/ for those of Docker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from auditlib import command_words, compose_command
from auditlib.conventions import deployment
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.document import Mention
from auditlib.patterns import regex

_OF_COMPOSE = frozenset({"logs", "exec", "run", "restart", "stop", "start", "up", "build", "pull", "kill", "rm"})
_OF_ONE = frozenset({"exec", "run"})
_OF_DOCKER = frozenset({"logs", "exec", "restart", "stop", "start"})
_NAME = regex(r"[a-z][a-z\d]*(?:[_-][a-z\d]+)*")
_NUMBERED = regex(r".*[_-]\d+")
"""As Compose calls a container that has no name of its own."""
_PLACEHOLDER = regex(
    r"(?:(?:your|my|the|affected|failing|target|some|that|other)[_-]?)?(?:service|container|name)s?(?:[_-]?(?:name|id)s?)?"
)


_OF_VALUES = frozenset({"missing-file", "variable-required"})
"""Faults that leave out no service: an environment file that is rightly not committed, and what it would hold."""


class Known(Struct, frozen=True):
    """The names of all services, and of the containers that are given one; nothing where not all of them are known."""

    services: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()


@answered_once
def known(inventory: Inventory) -> Known:
    """What is there. Where a Compose file can't be read, nobody knows."""
    if not inventory.services or any(
        item.kind == "error" and item.code not in _OF_VALUES for item in inventory.problems
    ):
        return Known()
    services = frozenset(item.name for item in inventory.services)
    named = {item.container_name for item in inventory.services} | {item.hostname for item in inventory.services}
    started = (after for words in _commands(inventory) for before, after in pairwise(words) if before == "--name")
    joined = (word[7:] for words in _commands(inventory) for word in words if word.startswith("--name="))
    words = [word for job in inventory.jobs for item in job.services for word in _words(item.options)]
    options = {after for before, after in pairwise(words) if before == "--name"}
    return Known(services, frozenset((named | {*started, *joined} | options) - {""}))


def _words(options: str) -> list[str]:
    return options.replace("--name=", "--name ").split()


def missing(there: Known, item: Mention, added: frozenset[str] = frozenset()) -> Iterator[str]:
    """The service or the container that a command of a document names, that isn't there, and that the document doesn't
    have its reader add first.
    """
    words = command_words.core(item.words)
    if not there.services or not words:
        return
    if call := compose_command.of(words):
        unknown = unknown_services(there, call)
        yield from (f"the service {name}" for name in unknown if name not in added)
    elif words[0] == "docker":
        verb, arguments = command_words.split(words[1:])
        name = named(arguments) if verb in _OF_DOCKER else ""
        if name and name not in there.services | there.containers | added and _is_meant(there, name):
            yield f"the container {name}"


def unknown_services(there: Known, call: compose_command.Call) -> Iterator[str]:
    """The services that a call of Compose names and that no Compose file has."""
    given = call.services if call.verb in _OF_COMPOSE - _OF_ONE else ()
    first = named(call.arguments) if call.verb in _OF_COMPOSE else ""
    for name in dict.fromkeys((first, *(name for name in given if _is_name(name)))):
        if name and there.services and name not in there.services:
            yield name


def named(arguments: Sequence[str]) -> str:
    """The service or container that the arguments of a command begin with; empty for a placeholder or a variable."""
    name = command_words.split([word for word in arguments if word != "-f"])[0]  # which follows a log here
    return name if _is_name(name) else ""


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not _PLACEHOLDER.fullmatch(name)


def _is_meant(there: Known, name: str) -> bool:
    """Whether a name is made of that of a service, so that no container of others is meant."""
    parts = set(name.replace("_", "-").split("-"))
    return not _NUMBERED.fullmatch(name) and bool(parts & there.services)


def _commands(inventory: Inventory) -> Iterator[tuple[str, ...]]:
    yield from (command.words for command in deployment.commands(inventory))
    yield from (tuple(item.text.split()) for item in deployment.documented_commands(inventory) if "--name" in item.text)
