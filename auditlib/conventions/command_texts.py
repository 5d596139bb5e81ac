"""The texts of commands that a repository holds, each as a whole, and where in them a program is called.

A script is one, a target of a makefile or of package.json, what a step runs, and what a step has a server run by SSH.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command, Job, Script

_STARTERS = frozenset({"sudo", "exec", "time", "nohup", "env", "command", "timeout", "-E", "-n", "--"})
_NO_TERMINAL = frozenset({"step", "remote"})


class CommandText(Struct, frozen=True):
    """Commands that run one after the other; `kind` is `script`, `target`, `step` or `remote`."""

    kind: str
    path: str
    """The file that it stands in."""
    name: str
    """The target's name, or the job's id; a script's name without its folder."""
    called: str
    """What a sentence calls it."""
    commands: tuple[Command, ...]
    job: Job | None = None
    script: Script | None = None

    @property
    def opening(self) -> str:
        """What it is called at the beginning of a sentence."""
        return opening(self.called)

    @property
    def is_on_thrown_away_host(self) -> bool:
        """Whether it runs on a machine of GitHub's, which nobody uses after it."""
        return self.kind == "step" and self.job is not None and "self-hosted" not in self.job.runs_on

    @property
    def has_no_terminal(self) -> bool:
        """Whether a pipeline runs it."""
        return self.kind in _NO_TERMINAL

    @property
    def is_for_development(self) -> bool:
        """Whether its file is, by its name or its folder, for development and tests; a workflow's tells nothing."""
        return not self.has_no_terminal and stages.is_for_development(self.path)


class Use(Struct, frozen=True):
    """A command of a text, by its place among the others."""

    text: CommandText
    index: int

    @property
    def command(self) -> Command:
        """The command itself."""
        return self.text.commands[self.index]

    @property
    def before(self) -> tuple[Command, ...]:
        """The commands that stand before it."""
        return self.text.commands[: self.index]

    @property
    def after(self) -> tuple[Command, ...]:
        """The commands that stand behind it."""
        return self.text.commands[self.index + 1 :]


def opening(called: str) -> str:
    """What something is called at the beginning of a sentence; a path stays as it is."""
    return f"The {called.removeprefix('the ')}" if called.startswith("the ") else called


@answered_once
def texts(inventory: Inventory) -> tuple[CommandText, ...]:
    """All of them, those without a command left out."""
    return tuple(item for item in _texts(inventory) if item.commands)


def _texts(inventory: Inventory) -> Iterator[CommandText]:
    for script in inventory.scripts:
        name = posixpath.basename(script.path)
        yield CommandText("script", script.path, name, script.path, script.commands, script=script)
    for manifest in inventory.manifests:
        for target in manifest.targets:
            called = f"{target.name} of {manifest.path}"
            yield CommandText("target", manifest.path, target.name, called, target.commands)
    for job in inventory.jobs:
        for step in job.steps:
            yield CommandText("step", step.workflow, job.id, f"the job {job.id}", step.commands, job)
            yield CommandText("remote", step.workflow, job.id, f"the job {job.id} on its server", step.remote, job)


@answered_once
def by_program(inventory: Inventory) -> dict[str, list[Use]]:
    """The commands by the names of the programs that they start, what only starts another program seen through."""
    found: defaultdict[str, list[Use]] = defaultdict(list)
    for text in texts(inventory):
        for index, command in enumerate(text.commands):
            if name := program(command.words):
                found[name].append(Use(text, index))
    return dict(found)


def uses(inventory: Inventory, names: Iterable[str]) -> Iterator[Use]:
    """The commands that start one of the programs."""
    known = by_program(inventory)
    for name in names:
        yield from known.get(name, ())


def program(words: Iterable[str]) -> str:
    """The name of the program that a command starts."""
    return next((posixpath.basename(word) for word in words if word not in _STARTERS and "=" not in word), "")


def by_text(found: Iterable[Use]) -> list[list[Use]]:
    """What was found, together for each file and target or job that it stands in."""
    groups: defaultdict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in found:
        groups[use.text.path, use.text.name].append(use)
    return list(groups.values())


@answered_once
def words(inventory: Inventory) -> frozenset[str]:
    """Every word of the commands, for asking whether a program is named at all."""
    return frozenset(word for text in texts(inventory) for command in text.commands for word in command.words)
