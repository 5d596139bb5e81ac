"""A command as a call of Docker Compose, or of Podman in its place: what is done, with which files, to which services.

Follows https://docs.docker.com/reference/cli/docker/compose/ and
https://docs.docker.com/reference/cli/docker/stack/deploy/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec import Struct

from auditlib import command_words
from auditlib.patterns import regex

_FLAGS = {"logs": {"-f", "-t"}, "down": {"-v"}, "rm": {"-f", "-v"}}
"""Options of single verbs without a value, whose letters have one elsewhere."""
_OF_ONE = frozenset({"exec", "run"})
"""Verbs that name one service; what follows it is a command for its container."""

_NUMBER = regex(r"(\d{1,6})|\$\{\w{1,50}:?-(\d{1,6})\}")

_DEPLOYS = (["deploy"], ["up"])


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
    def env_files(self) -> tuple[str, ...]:
        """The files of variables that it names."""
        return tuple(_values(self.options, "--env-file"))

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
    def copies(self) -> dict[str, int]:
        """In how many copies it starts services: `up --scale web=3`, `scale web=${COPIES:-3}`."""
        given = self.arguments if self.verb == "scale" else tuple(_values(self.arguments, "--scale"))
        found = (word.partition("=") for word in given)
        return {name: int(match[1] or match[2]) for name, _, text in found if (match := _NUMBER.fullmatch(text))}

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


def of_stack(words: Sequence[str]) -> tuple[str, ...]:
    """The Compose files that a command deploys as a stack of Swarm; none for another command."""
    core = command_words.core(list(words))
    return (
        tuple(_values(core[3:], "-c", "--compose-file"))
        if core[:2] == ["docker", "stack"] and core[2:3] in _DEPLOYS
        else ()
    )
