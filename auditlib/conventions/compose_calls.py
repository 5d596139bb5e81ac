"""Calls of Docker Compose, or of Podman in its place: what is done, with which files, to which services.

Follows https://docs.docker.com/reference/cli/docker/compose/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from auditlib.conventions import command_words


class Call(Struct, frozen=True):
    """A call of Compose: `verb` is `up`, `down` …; `options` stand before it, `arguments` after it."""

    verb: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The Compose files that it names."""
        joined = [word for option in self.options for word in option.split("=", 1)]
        return tuple(value for option, value in pairwise(joined) if option in ("-f", "--file"))

    @property
    def is_in_background(self) -> bool:
        """Whether what it starts goes on without it."""
        return not {"-d", "--detach"}.isdisjoint(self.arguments)

    @property
    def is_for_all(self) -> bool:
        """Whether it names no service."""
        return not command_words.split(list(self.arguments))[0]


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
