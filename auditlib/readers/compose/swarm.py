"""Which Compose files are stacks of Swarm: `docker stack deploy` reads the same files, and takes them otherwise.

It knows no order of starts, names of containers or profiles, and `deploy.restart_policy` stands in the place of
`restart` (https://docs.docker.com/reference/cli/docker/stack/deploy/). A file that Compose starts too is none of them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from auditlib import compose_command
from auditlib.compose.discovery import BASES, OVERRIDES, is_for_swarm
from auditlib.inventory.delivery import Manifest, Script, Workflow
from auditlib.inventory.document import Document
from auditlib.patterns import regex

_CALL = regex(r"\bdocker(?:[ -]compose| stack)\s[^\n;&|]{0,300}")
_FOLDER = regex(r"^(?:\$\{?\w+\}?/|\./)+")
"""A variable for the folder of a path, as a rule the root of the checkout."""


class Calls(Struct, frozen=True):
    """The files that commands start by Compose, and those that they deploy as stacks, as they are written."""

    composed: frozenset[str]
    stacked: frozenset[str]


NONE = Calls(frozenset(), frozenset())


def of(records: Iterable[Any]) -> Calls:
    """What the commands and documents of these records start."""
    return _calls(words for record in records for words in _words(record))


def is_stack(found: Calls, files: Sequence[str], said: str, every: Collection[str]) -> bool:
    """Whether files are for Swarm alone, by what they are called, their comments and the commands of the repository.

    What a file says of itself counts first; another one may be meant where several have its name.
    """
    own = _calls(tuple(text.split()) for text in _CALL.findall(said))
    return bool(files) and all(_is_stack(found, own, file, every) for file in files)


def _is_stack(found: Calls, own: Calls, file: str, every: Collection[str]) -> bool:
    if _names(own.composed, file):
        return False
    if _names(own.stacked, file):
        return True
    name = posixpath.basename(file)
    alone = sum(posixpath.basename(other) == name for other in every) < 2
    deployed = is_for_swarm(name) or _names({item for item in found.stacked if alone or "/" in item}, file)
    return deployed and not _names(found.composed, file)


def _names(written: Iterable[str], file: str) -> bool:
    return any(f"/{file}".endswith(f"/{item}") or item.endswith(f"/{file}") for item in written)


def _calls(commands: Iterable[tuple[str, ...]]) -> Calls:
    composed, stacked = set[str](), set[str]()
    for words in commands:
        stacked.update(compose_command.of_stack(words))
        call = compose_command.of(words)
        if call and call.verb in ("up", "start", "run"):
            composed.update(call.files or (*BASES, *OVERRIDES))
    return Calls(*(frozenset(_FOLDER.sub("", item.strip("\"'`")) for item in each) for each in (composed, stacked)))


def _words(record: Any) -> Iterator[tuple[str, ...]]:
    match record:
        case Workflow():
            for step in (step for job in record.jobs for step in job.steps):
                yield from (item.words for item in (*step.commands, *step.remote))
        case Script():
            yield from (item.words for item in record.commands)
        case Manifest():
            yield from (item.words for target in record.targets for item in target.commands)
        case Document():
            yield from (tuple(text.split()) for item in record.mentions for text in _CALL.findall(item.text))
