"""Reads the steps of a job or of a composite action, what they run as commands."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.inventory.delivery import Command, Pair, Step
from auditlib.patterns import regex
from auditlib.readers import shell
from auditlib.readers.nodes import Entries, is_true, location, text
from auditlib.redaction import Vault
from auditlib.yamltree import Node


def _meaning(name: str, uses: str) -> str:
    return "ssh_key" if name == "key" and _OVER_SSH.search(uses) else name


class Defaults(Struct, frozen=True):
    """What `defaults.run` says, a job's over its workflow's; a Windows runner's shell is PowerShell."""

    shell: str = ""
    working_directory: str = ""

    @classmethod
    def of(cls, node: Node, outer: Defaults, *, windows: bool = False) -> Defaults:
        """The defaults inside `node`."""
        return cls(
            text(node, "defaults", "run", "shell") or outer.shell or ("pwsh" if windows else ""),
            text(node, "defaults", "run", "working-directory") or outer.working_directory,
        )


_RUNS_THERE = regex(r"/ssh-action(?:@|$)")
_OVER_SSH = regex(r"/(?:ssh-action|scp-action|ssh-deploy|sftp-)")


def pairs(node: Node | None, entries: Entries, vault: Vault, uses: str = "") -> tuple[Pair, ...]:
    """The entries of `env` or `with`, masked; the `key` of an action that `uses` SSH is a private one."""
    if node is None:
        return ()
    scalars = [(key, value) for key, value in node.items() if value.kind == "scalar"]
    return tuple(
        Pair(key.text, vault.value(_meaning(key.text, uses), value.text).text, location(key, entries.file))
        for key, value in scalars
    )


class StepReader:
    """Reads the steps of one file, whose `lines` tell where the text of a block scalar begins."""

    def __init__(self, vault: Vault, entries: Entries, lines: list[str]) -> None:
        self.vault, self.entries, self._lines = vault, entries, lines

    def of(self, parent: Node | None, job: str, defaults: Defaults) -> Iterator[Step]:
        """The steps below `steps:`."""
        for index, node in enumerate(self.entries.of(parent, "steps")):
            yield self._step(index, node, job, defaults)

    def _step(self, index: int, node: Node, job: str, defaults: Defaults) -> Step:
        run = node.get("run")
        interpreter = text(node, "shell") or defaults.shell
        return Step(
            workflow=self.entries.file,
            job=job,
            index=index,
            name=text(node, "name"),
            uses=text(node, "uses"),
            run=self.vault.mask(run.text) if run else "",
            commands=self._commands(run, interpreter),
            env=pairs(node.get("env"), self.entries, self.vault),
            inputs=pairs(node.get("with"), self.entries, self.vault, text(node, "uses")),
            working_directory=text(node, "working-directory") or (defaults.working_directory if run else ""),
            condition=text(node, "if"),
            continue_on_error=is_true(node, "continue-on-error"),
            location=location(node, self.entries.file),
            id=text(node, "id"),
            shell=interpreter,
            remote=self._remote(node),
        )

    def _remote(self, node: Node) -> tuple[Command, ...]:
        """What `script` says to an action that runs it on another host; `script_stop` ends it at its first failure."""
        script = node.get("with", "script")
        if script is None or script.kind != "scalar" or not _RUNS_THERE.search(text(node, "uses")):
            return ()
        first, indent = self._start(script)
        stops = is_true(node.get("with") or node, "script_stop")
        return shell.commands(script.text, self.entries.file, first, self.vault, indent=indent, errexit=stops)

    def _commands(self, run: Node | None, interpreter: str) -> tuple[Command, ...]:
        """What `run` does, if a shell runs it. GitHub's own call of a shell has `-e`, a custom one if it says so."""
        program, *arguments = interpreter.split() or ["bash"]
        if run is None or not shell.is_shell(program):
            return ()
        first, indent = self._start(run)
        errexit = not arguments or any(word.startswith("-") and "e" in word for word in arguments)
        return shell.commands(run.text, self.entries.file, first, self.vault, indent=indent, errexit=errexit)

    def _start(self, run: Node) -> tuple[int, int]:
        """The line and the indentation of a scalar's text: a block scalar begins below its `|`."""
        header = self._lines[run.line - 1][run.column - 1 :] if run.line <= len(self._lines) else ""
        words = [word for word in header.split() if word[0] not in "&!"]
        if not words or words[0][0] not in "|>":
            return run.line, run.column - 1 + (not run.plain)
        below = (line for line in self._lines[run.line : run.end_line] if line.strip())
        first = next(below, "")
        return run.line + 1, len(first) - len(first.lstrip())
