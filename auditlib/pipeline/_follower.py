"""Follows the commands of one job to what they run in the end."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.command_words import (
    EVERYWHERE,
    PACKAGE_MANAGERS,
    SHELLS,
    composer_script,
    core,
    place,
    script_name,
    split,
)
from auditlib.conventions import services, tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, ScriptTarget, Step
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.paths import normal
from auditlib.patterns import regex

_DEPTH = 6
_AND_THEN = regex(r"\s*(?:&&|;|\|\|)\s*")

Followed = tuple[str, str | None, bool]
"""A command's text, its folder, and whether it is known what it does."""


class Follower(Struct):
    """Follows commands of one job; each is opened once."""

    inventory: Inventory
    job: Job
    _opened: set[tuple[str, str | None]] = field(default_factory=set)

    def of_step(self, step: Step, inside: bool = False) -> Iterator[tuple[str, str | None, bool, Location | None]]:
        """What a step runs; the steps of an action of the repository stand where the action is used."""
        if step.uses.startswith("./") and not inside:
            yield from self._of_action(step)
        elif step.uses:
            inputs = " ".join(f"{pair.name}={pair.value}" for pair in step.inputs)
            yield f"{step.uses} {inputs}".strip(), None, True, None
        for command in step.commands:
            folder = posixpath.join(normal(step.working_directory or self.job.working_directory), command.folder)
            for text, where, known in self.follow(list(command.words), folder, 0):
                yield text, where, known, None if inside else command.location

    def _of_action(self, step: Step) -> Iterator[tuple[str, str | None, bool, Location | None]]:
        folder = normal(step.uses)
        action = next((item for item in self.inventory.actions if posixpath.dirname(item.path) == folder), None)
        if action is None or not action.steps:
            yield step.uses, None, False, None
            return
        for inner in action.steps:
            yield from self.of_step(inner, inside=True)

    def follow(self, words: list[str], folder: str | None, depth: int) -> Iterator[Followed]:
        """The command itself, then everything that it runs."""
        text = " ".join(words)
        yield text, folder, True
        words = core(words)
        if not words or depth > _DEPTH or (text, folder) in self._opened:
            return
        self._opened.add((text, folder))
        program = posixpath.basename(words[0])
        if program in ("make", "gmake"):
            yield from self._make(words[1:], folder, depth)
        elif program in PACKAGE_MANAGERS:
            yield from self._npm(words, folder, depth)
        elif program == "composer":
            yield from self._composer(words[1:], folder, depth)
        elif program in ("docker", "docker-compose"):
            yield from self._compose(words, depth)
        elif program in SHELLS or words[0].endswith((".sh", ".bash")) or words[0].startswith("./"):
            yield from self._script(words[1:] if program in SHELLS else words, folder, depth)
        elif tools.TEST_ORCHESTRATORS.search(program):
            yield text, folder, False

    def _make(self, arguments: list[str], folder: str | None, depth: int) -> Iterator[Followed]:
        where, names = place(arguments, folder)
        found = False
        for manifest in self.inventory.manifests:
            home = posixpath.dirname(manifest.path)
            if manifest.kind != "make" or not (where is None or home == normal(where)):
                continue
            included = (target for file in manifest.includes for target in self._targets(file))
            for target in itertools.chain(manifest.targets, included):
                if target.name in names or (not names and target is manifest.targets[0]):
                    found = True
                    yield from self._commands(target.commands, home, depth)
        if not found:
            yield " ".join(["make", *names]), where, False

    def _targets(self, path: str) -> tuple[ScriptTarget, ...]:
        """The targets of a makefile that another one includes."""
        return next((item.targets for item in self.inventory.manifests if item.path == path), ())

    def _commands(self, commands: tuple[Command, ...], home: str, depth: int) -> Iterator[Followed]:
        for command in commands:
            yield from self.follow(list(command.words), normal(posixpath.join(home, command.folder)), depth + 1)

    def _npm(self, words: list[str], folder: str | None, depth: int) -> Iterator[Followed]:
        everywhere = any(word.partition("=")[0] in EVERYWHERE for word in words)
        where, arguments = place([word for word in words[1:] if word not in EVERYWHERE], folder)
        name = script_name(words[0], arguments)
        if not name:
            return
        packages = [item for item in self.inventory.manifests if item.kind == "npm"]
        if not everywhere and where is not None:
            packages = [item for item in packages if posixpath.dirname(item.path) == normal(where)]
        for manifest in packages:
            for target in manifest.targets:
                if target.name == name:
                    yield from self._commands(target.commands, posixpath.dirname(manifest.path), depth)
        if not packages:
            yield " ".join(words), where, False

    def _composer(self, arguments: list[str], folder: str | None, depth: int) -> Iterator[Followed]:
        where, words = place(arguments, folder)
        name, by_name = composer_script(words)
        found = False
        for manifest in self.inventory.manifests:
            home = posixpath.dirname(manifest.path)
            if manifest.kind == "composer" and (where is None or home == normal(where)):
                for target in manifest.targets:
                    if target.name == name:
                        found = True
                        yield from self._commands(target.commands, home, depth)
        if name and by_name and not found:
            yield " ".join(["composer", *words]), where, False

    def _script(self, arguments: list[str], folder: str | None, depth: int) -> Iterator[Followed]:
        if "-c" in arguments:
            for part in _AND_THEN.split(arguments[-1]):
                yield from self.follow(part.split(), folder, depth + 1)
            return
        path = next((word for word in arguments if not word.startswith("-")), "")
        known = self.inventory.scripts_by_path
        script = known.get(normal(posixpath.join(folder or "", path))) or known.get(normal(path))
        if script is None and path:
            yield " ".join(arguments), folder, False
        for command in script.commands if script else ():
            # A script may go to its own folder or the root first; the paths in it tell little of where it is.
            yield from self.follow(list(command.words), normal(command.folder) or (folder or ""), depth + 1)

    def _compose(self, words: list[str], depth: int) -> Iterator[Followed]:
        rest = words[2:] if words[:2] == ["docker", "compose"] else words[1:] if words[0] == "docker-compose" else []
        verb, arguments = split(rest)
        service, command = split(arguments)
        if verb in ("run", "exec") and command:
            yield from self.follow(command, None, depth + 1)
        elif verb in ("run", "exec") and service:
            yield from self._service(service, depth)
        elif verb == "up":
            for name in [word for word in arguments if not word.startswith("-")]:
                yield from self._service(name, depth)

    def _service(self, name: str, depth: int) -> Iterator[Followed]:
        for service in self.inventory.services_by_name.get(name, ()):
            words = [*service.entrypoint, *service.command] or self._image_command(service)
            yield from self.follow(words, service.build.context if service.build else None, depth + 1)

    def _image_command(self, service: Service) -> list[str]:
        _, instructions = services.built_from(self.inventory, service)
        last = {item.keyword: item.words for item in instructions if item.keyword in ("CMD", "ENTRYPOINT")}
        return [*last.get("ENTRYPOINT", ()), *last.get("CMD", ())]
