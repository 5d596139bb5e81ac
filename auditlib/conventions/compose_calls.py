"""Calls of Docker Compose: what is done, with which files, to which services.

Follows https://docs.docker.com/reference/cli/docker/compose/.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from msgspec import Struct

from auditlib import stages
from auditlib.conventions.command_words import core
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_TAKES_VALUE = frozenset({
    "-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "--ansi", "--parallel",
    "--progress", "-H", "--host", "--context",
})  # fmt: skip
_NAMES = regex(r"\bdocker[- ]compose\s[^\n;&|]*?(?:-f|--file)[\s=]+[\"']?(?P<path>[\w./-]+\.ya?ml)\b")
_DEPLOYING_NAME = regex(
    r"(?:^|[/_.-])(?:re)?(?:deploy|deployment|rollout|release|update|upgrade)(?:[_.-]\w+)*\.(?:sh|bash)$"
)


class Call(Struct, frozen=True):
    """A call of Compose: `verb` is `up`, `down` …; `options` stand before it, `arguments` after it."""

    verb: str
    options: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The Compose files that it names."""
        pairs = zip(self.options, self.options[1:], strict=False)
        return tuple(value for option, value in pairs if option in ("-f", "--file"))

    @property
    def is_for_all(self) -> bool:
        """Whether it names no service."""
        return all(word.startswith("-") for word in self.arguments)


def of(words: Sequence[str]) -> Call | None:
    """The call that a command is; None for another command."""
    rest = core(list(words))
    program = posixpath.basename(rest[0]) if rest else ""
    if program == "docker" and rest[1:2] == ["compose"]:
        rest = rest[2:]
    elif program == "docker-compose":
        rest = rest[1:]
    else:
        return None
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        at += 2 if rest[at] in _TAKES_VALUE else 1
    return Call(rest[at], tuple(rest[:at]), tuple(rest[at + 1 :])) if at < len(rest) else None


def deploys_by_name(path: str) -> bool:
    """Whether a shell script deploys, by what it is called, and not for development."""
    return bool(_DEPLOYING_NAME.search(path)) and not stages.is_for_development(path)


def services_of(inventory: Inventory, text: str) -> tuple[Service, ...]:
    """The services of the Compose files that the calls of a text name; all where it names none that is there."""
    named = {posixpath.basename(match["path"]) for match in _NAMES.finditer(text)}
    found = tuple(item for item in inventory.services if posixpath.basename(item.location.file) in named)
    there = any(posixpath.basename(file) in named for project in inventory.projects for file in project.files)
    return found if there else inventory.services
