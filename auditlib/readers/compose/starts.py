"""Which Compose files the repository's own commands start together, and whether that is for production.

Read are the commands of workflows, scripts, make targets, npm scripts and documents, and `COMPOSE_FILE`, as
https://docs.docker.com/reference/cli/docker/compose/ and https://docs.docker.com/reference/cli/docker/stack/deploy/
take them. A command counts for production if its job deploys, or if the place, the heading above it or the files are
called for that. Where a variable names a file, nothing is known.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

from msgspec import Struct

from auditlib import compose_command, stages
from auditlib.compose.discovery import BASES
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.delivery import Command, Job, Manifest, Pair, Script, Workflow
from auditlib.inventory.document import Document
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import shell

_FILE = "COMPOSE_FILE"
_ON_DEVELOPMENT = regex(r"\b(?:development|dev|local(?:ly)?)\b", re.I)
_BELOW_VARIABLE = regex(r"^\$\{?\w+\}?/")
"""A variable for the folder of a path, as a rule the root of the checkout."""
_BESIDE = regex(r"^\$\{?(?:SCRIPT_?DIR|SCRIPT_?PATH|HERE|BASE_?DIR|DIR)\}?/[\w.-]+\.ya?ml$", re.I)
"""A Compose file beside the script, as the usual names say of the folder that a script finds itself in."""
_TITLE = 300
"""Characters of a heading that are looked at."""
_HINT = regex(r"docker[- ](?:compose|stack)")
"""Texts without it are not taken apart."""


class Weight(IntEnum):
    """How much a start tells of production."""

    SETTING = 1
    DOCUMENT = 2
    SCRIPT = 3
    JOB = 4


class Start(Struct, frozen=True):
    """A command that puts Compose files into operation for production."""

    files: tuple[str, ...]
    """As they are written; none where Compose finds them by itself."""
    folders: tuple[str, ...]
    """Where they may lie, the likeliest first."""
    weight: Weight
    location: Location
    implied: bool = False
    """Whether it starts the usual file, and nothing but the name of its document speaks of production."""

    @property
    def order(self) -> tuple[object, ...]:
        """What sorts those first that tell most; what is tried out (`staging`) comes after what is in use."""
        tried = any("stag" in word for word in (*self.files, self.location.file))
        return -self.weight, tried, self.location.file, self.location.line, self.location.column


def of(records: Iterable[Any]) -> list[Start]:
    """The starts for production that these records hold, those first that tell most."""
    return sorted((start for record in records for start in _starts(record)), key=lambda start: start.order)


def _starts(record: Any) -> Iterator[Start]:
    match record:
        case Workflow():
            for job in record.jobs:
                yield from _of_job(record, job)
        case Script():
            yield from _of_commands(record.commands, record.path, Weight.SCRIPT, held=record.compose_variables)
        case Manifest():
            for target in record.targets:
                yield from _of_commands(target.commands, record.path, Weight.SCRIPT, target.name)
        case Document():
            yield from _of_document(record)
        case EnvFile() if posixpath.basename(record.path) == ".env":
            yield from _of_env_file(record)


def _of_job(workflow: Workflow, job: Job) -> Iterator[Start]:
    """The starts of a job; one that doesn't deploy may still try out what is deployed."""
    deploys = bool(job.environment) or any(map(stages.names_production, (job.id, job.name)))
    weight = Weight.JOB if deploys else Weight.DOCUMENT
    for step in job.steps:
        given = _given((*workflow.env, *job.env, *step.env))
        for command in _with_remote((*step.commands, *step.remote)):
            for files in _files(command.words, given):
                if deploys or are_for_production(files):
                    yield Start(files, _below(step.working_directory, command.folder), weight, command.location)


def _with_remote(commands: Iterable[Command]) -> Iterator[Command]:
    """The commands, and those that `ssh` has another host run."""
    for command in commands:
        yield command
        for word in command.words[1:] if command.words[:1] == ("ssh",) else ():
            if " " in word and _HINT.search(word):
                found = shell.commands(word, command.location.file)
                yield from (shell.at(inner, command.location) for inner in found)


def _given(pairs: Iterable[Pair]) -> str:
    """`COMPOSE_FILE` as the innermost of them sets it."""
    return next((pair.value for pair in reversed(list(pairs)) if pair.name == _FILE), "")


def _of_commands(
    commands: Iterable[Command], path: str, weight: Weight, target: str = "", held: Iterable[Pair] = ()
) -> Iterator[Start]:
    given = ""
    values = {pair.name: pair.value for pair in held}
    for command in _with_remote(commands):
        if command.words == ("export", _FILE):
            given = values.get(_FILE, given)
        given = next((word.partition("=")[2] for word in command.words[1:] if word.startswith(f"{_FILE}=")), given)
        if stages.is_for_development(path) or _FILE in command.assignments:
            continue
        folder = posixpath.dirname(path)
        folders = _below(folder, command.folder) if target else _folders(command.folder or ".", folder)
        if any(map(_BESIDE.search, command.words)):
            folders = _folders(folder)
        for files in _files(_filled_in(command.words, values), given):
            if are_for_production(files) or any(map(stages.names_production, (path, target))):
                yield Start(files, folders, weight, command.location)


def _filled_in(words: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """The words, a variable of the script replaced by the Compose file that it holds, or by the script's own folder."""
    return tuple(_file_of(word, values) for word in words)


def _file_of(word: str, values: Mapping[str, str]) -> str:
    name = word.strip("${}") if word.startswith("$") else ""
    if name in values:
        return _BELOW_VARIABLE.sub("", values[name])
    return _BELOW_VARIABLE.sub("", word) if _BESIDE.search(word) else word


def _of_document(document: Document) -> Iterator[Start]:
    """The starts that a document gives, below a heading or in a document on production."""
    lines = [heading.location.line for heading in document.headings]  # in their order
    for mention in document.mentions:
        if mention.kind != "command" or stages.is_for_development(document.path):
            continue
        line = mention.location.line
        place = bisect_left(lines, line)
        above = document.headings[place - 1].text[:_TITLE] if place else ""
        if _ON_DEVELOPMENT.search(above) and "prod" not in above.lower():
            continue
        for files in _files(tuple(mention.text.split()), ""):
            told = are_for_production(files) or stages.names_production(above)
            if told or stages.names_production(document.path):
                plain = all(posixpath.basename(file) in BASES for file in files)
                folders = _folders(posixpath.dirname(document.path))
                yield Start(files, folders, Weight.DOCUMENT, mention.location, implied=plain and not told)


def _of_env_file(file: EnvFile) -> Iterator[Start]:
    """What `COMPOSE_FILE` says in the env file that Compose reads by itself."""
    for line in file.lines:
        if line.name == _FILE and line.value is not None and (files := _split(line.value.text)):
            yield Start(files, _folders(posixpath.dirname(file.path)), Weight.SETTING, line.location)


def _folders(*folders: str) -> tuple[str, ...]:
    """Those of the folders that lie in the repository, as far as they are known, and its root."""
    known = [posixpath.normpath(folder) for folder in folders if folder and "$" not in folder]
    inside = (folder for folder in known if folder[0] not in "/~." or folder == ".")
    return tuple(dict.fromkeys((*inside, ".")))


def _below(outer: str, inner: str) -> tuple[str, ...]:
    """Where a command runs that starts in one folder and goes to another from there."""
    return _folders(posixpath.join(outer, inner), inner, outer)


def are_for_production(files: Iterable[str]) -> bool:
    """Whether one of these files is called for production."""
    return any(stages.names_production(posixpath.basename(file)) for file in files)


def _files(words: Sequence[str], given: str) -> Iterator[tuple[str, ...]]:
    """The files that a command starts, if it is one that does and all of them are known and none is for development."""
    call = compose_command.of(words)
    if call and call.verb == "up":
        known = not call.files and not given
        files = call.files or _split(given)
    elif stack := compose_command.of_stack(words):
        files, known = stack, False
    else:
        return
    if (files or known) and not any("$" in file or file == "-" or stages.is_for_development(file) for file in files):
        yield tuple(dict.fromkeys(files))


def _split(value: str) -> tuple[str, ...]:
    return tuple(item for item in value.strip("\"'").split(":") if item)
