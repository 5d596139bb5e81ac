"""Dockerfiles and their `.dockerignore`: stages, base images, instructions, and the commands that they run.

Follows https://docs.docker.com/reference/dockerfile/ and
https://docs.docker.com/build/concepts/context/#dockerignore-files.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from itertools import islice

from auditlib import secret_spans
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Dockerfile, DockerIgnore, Instruction, Stage
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import shell
from auditlib.readers.dockerfile_syntax import Statement, statements
from auditlib.readers.reading import Reading, each
from auditlib.redaction import Value, Vault
from auditlib.source import Source

KIND = "Dockerfile"

_NAME = regex(r"(?:Dockerfile|Containerfile)(?:[.-][\w.-]+)?|[\w.-]+\.(?:[Dd]ockerfile|[Cc]ontainerfile)")
_OTHER_FORMATS = frozenset({
    ".dockerignore", ".containerignore", ".md", ".rst", ".txt", ".py", ".sh", ".js", ".ts", ".yml", ".yaml", ".json",
    ".j2", ".jinja", ".jinja2", ".tpl", ".tmpl", ".template", ".erb", ".bak", ".orig",
})  # fmt: skip
_KEYWORDS = frozenset({
    "FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME", "USER",
    "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL",
})  # fmt: skip
_EXECUTED = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"})
_ASSIGNING = frozenset({"ENV", "ARG", "LABEL"})
_VARIABLE = regex(r"\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?P<default>:?-[^{}]*)?\})")
_SPLIT_LIMIT = 20_000
_STATEMENT_LIMIT = 10_000
"""Instructions of a Dockerfile that are read; what has more is there to take time."""


def read(source: Source) -> Reading:
    """Every Dockerfile and `.dockerignore` of the repository."""
    reading = each(source, [path for path in source.files if is_dockerfile(path)], KIND, _read)
    ignores = [path for path in source.files if path.endswith(".dockerignore")]
    ignored = each(source, ignores, ".dockerignore", _read_ignore)
    return Reading(reading.records + ignored.records, reading.coverage + ignored.coverage)


def is_dockerfile(path: str) -> bool:
    """Whether a file's name says that an image is built from it: `Dockerfile`, `Dockerfile.dev`, `api.Dockerfile`."""
    name = posixpath.basename(path)
    return bool(_NAME.fullmatch(name)) and posixpath.splitext(name)[1].lower() not in _OTHER_FORMATS


def _read_ignore(source: Source, path: str) -> Iterator[DockerIgnore]:
    lines = (line.strip() for line in source.lines(path))
    yield DockerIgnore(path, tuple(line for line in lines if line and not line.startswith("#")), Location(path))


def _read(source: Source, path: str) -> Iterator[Dockerfile | Coverage]:
    parser = _Parser(path, source.vault)
    found = statements(source.text(path))
    for statement in islice(found, _STATEMENT_LIMIT):
        parser.take(statement)
    yield from parser.trouble
    if beyond := next(found, None):
        said = f"has more than {_STATEMENT_LIMIT} instructions; the rest was left out"
        yield Coverage(path, KIND, Read.PARTIAL, said, beyond.line)
    if not parser.stages:
        yield Coverage(path, KIND, Read.PARTIAL, "has no FROM; a template, or no Dockerfile")
    yield Dockerfile(path, tuple(parser.stages), tuple(parser.instructions), Location(path))


class _Parser:
    """Takes the statements of one Dockerfile in their order."""

    def __init__(self, path: str, vault: Vault) -> None:
        self.path, self.vault = path, vault
        self.stages: list[Stage] = []
        self.instructions: list[Instruction] = []
        self.trouble: list[Coverage] = []
        self.arguments: dict[str, str] = {}
        """The defaults of ARG before the first FROM, which image names may use."""

    def take(self, statement: Statement) -> None:
        """Record one statement, or why it can't be understood."""
        location = Location(self.path, statement.line, 1, statement.end_line)
        if statement.keyword not in _KEYWORDS:
            reason = f"line {statement.line} is no Dockerfile instruction"
            self.trouble.append(Coverage(self.path, KIND, Read.PARTIAL, reason, statement.line))
            return
        if not statement.closed:
            reason = f"line {statement.line} opens a here-document that never ends"
            self.trouble.append(Coverage(self.path, KIND, Read.PARTIAL, reason, statement.line))
        if statement.keyword == "FROM":
            self._begin_stage(statement, location)
        elif statement.keyword == "ARG" and not self.stages:
            pairs = (word.partition("=") for word in _split(statement.argument))
            self.arguments.update((name, value) for name, _, value in pairs)
        self.instructions.append(self._instruction(statement, location))

    def _begin_stage(self, statement: Statement, location: Location) -> None:
        words = statement.argument.split()
        named = len(words) >= 3 and words[1].upper() == "AS"
        base = _VARIABLE.sub(self._default, words[0]) if words else ""
        self.stages.append(Stage(words[2].lower() if named else str(len(self.stages)), self.vault.mask(base), location))

    def _default(self, match: re.Match[str]) -> str:
        """The default of a build argument; one without stays as it is written."""
        given = self.arguments.get(match["plain"] or match["name"], "")
        return given or (match["default"] or "").lstrip(":").removeprefix("-") or match[0]

    def _instruction(self, statement: Statement, location: Location) -> Instruction:
        words, is_shell = self._words(statement)
        argument = " ".join(words) if statement.keyword in _ASSIGNING else self.vault.mask(statement.argument)
        return Instruction(
            keyword=statement.keyword,
            argument=argument,
            words=words,
            shell=is_shell,
            flags=tuple(map(self.vault.mask, statement.flags)),
            stage=self.stages[-1].name if self.stages else "",
            location=location,
            commands=self._commands(statement, location) if statement.keyword in _EXECUTED else (),
            variables=tuple(self._variables(statement)) if statement.keyword in ("ENV", "ARG") else (),
            written=tuple(self._written(statement.body)) if statement.keyword in ("COPY", "ADD") else (),
        )

    def _written(self, body: str) -> Iterator[Value]:
        """The secrets of a here-document, less what the build fills in."""
        for start, end in secret_spans.union(secret_spans.find(body, env=True)) if body else ():
            value = self.vault.value("password", body[start:end])
            if value.secret and not value.placeholder and "$" not in body[start:end]:
                yield value

    def _words(self, statement: Statement) -> tuple[tuple[str, ...], bool]:
        """The words of an instruction, and whether a shell splits them."""
        if statement.keyword in _ASSIGNING:
            return tuple(self._assignments(statement)), False
        argument, before = statement.argument, []
        if statement.keyword == "HEALTHCHECK":
            kind, _, argument = argument.partition(" ")
            before = [kind.upper()]
        form = _exec_form(argument)
        words = before + (form if form is not None else _split(argument))
        is_shell = form is None and statement.keyword in _EXECUTED and before != ["NONE"]
        return self.vault.mask_words(words), is_shell

    def _assignments(self, statement: Statement) -> Iterator[str]:
        for name, value in self._variables(statement):
            yield name if value is None else f"{name}={value}"

    def _variables(self, statement: Statement) -> Iterator[tuple[str, Value | None]]:
        words = _split(statement.argument)
        if statement.keyword == "ENV" and words and "=" not in words[0]:  # the old form, `ENV NAME value`
            words = [f"{words[0]}={' '.join(words[1:])}"]
        for word in words:
            name, equals, value = word.partition("=")
            yield name, self.vault.value(name, value) if equals else None

    def _commands(self, statement: Statement, location: Location) -> tuple[Command, ...]:
        argument, script = statement.argument, statement.script
        if statement.keyword == "HEALTHCHECK":
            kind, _, argument = argument.partition(" ")
            script = script.replace(kind, " " * len(kind), 1)
        form = _exec_form(argument)
        if form is not None:
            return shell.of_words(form, location, self.vault)
        if statement.body:
            if argument.lstrip().startswith("<<") and len(argument.split()) == 1:  # the whole of it is a script
                return shell.commands(statement.body, self.path, statement.line + 1, self.vault)
            script = f"{script}\n{statement.body}\n{_heredoc_end(argument)}"
        return shell.commands(script, self.path, statement.line, self.vault)


def _heredoc_end(argument: str) -> str:
    match = re.search(r"<<-?\s*[\"']?(\w+)", argument)
    return match[1] if match else ""


def _exec_form(argument: str) -> list[str] | None:
    """The words of `["program", "argument"]`; None for the shell form."""
    if not argument.startswith("["):
        return None
    try:
        words = json.loads(argument)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def _split(argument: str) -> list[str]:
    """The words of an argument without their quotes; with a quote that is never closed, as they stand."""
    try:
        return shlex.split(argument[:_SPLIT_LIMIT])
    except ValueError:
        return argument[:_SPLIT_LIMIT].split()
