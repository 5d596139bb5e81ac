"""What the workflows really run: their commands, followed through make, npm scripts, shell scripts and Compose.

A workflow's step says `make test`, the target says `npm test`, the script says `vitest run`: that job runs Vitest.
What can't be followed (a script that the repository lacks, `tox`, an action) is named, so that nobody takes silence
for absence.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditlib.conventions import services, tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step, TestSuite, Workflow
from auditlib.inventory.stack import Service
from auditlib.model import Location

_DEPTH = 6
_PREFIXES = frozenset(
    {
        "uv",
        "uvx",
        "npx",
        "bunx",
        "pnpx",
        "pipx",
        "poetry",
        "pdm",
        "pipenv",
        "rye",
        "run",
        "exec",
        "sudo",
        "env",
        "time",
        "xvfb-run",
        "command",
        "--",
    }
)
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "source", "."})
_PACKAGE_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_LIFECYCLE = frozenset({"test", "t", "start"})
_OWN_COMMANDS = frozenset(
    {"install", "i", "ci", "add", "remove", "dlx", "x", "exec", "audit", "publish", "link", "init"}
)
_EVERYWHERE = frozenset(
    {"-r", "--recursive", "-ws", "--workspaces", "workspaces", "--filter", "-F", "-w", "--workspace", "workspace"}
)
_FOLDER_OPTIONS = frozenset({"-C", "--prefix", "--cwd", "--dir", "--directory", "--project"})
_MANUAL = frozenset({"workflow_dispatch", "repository_dispatch"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_COMPOSE_VALUES = frozenset({
    "-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "-e", "--env", "-u",
    "--user", "-v", "--volume", "-w", "--workdir", "--name", "--entrypoint", "--publish", "--label", "-l", "--scale",
    "--timeout", "-t", "--env-from-file", "--pull", "--ansi", "--progress", "--wait-timeout", "--index",
})  # fmt: skip
"""Options of `docker compose` and its commands that take the next word as their value."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command, or action, that a job runs in the end; `location` is the line of the workflow that leads to it."""

    text: str
    folder: str | None
    """Where it runs, relative to the root; None for the inside of a container."""
    job: Job
    location: Location


@dataclass(frozen=True, slots=True)
class Pipeline:
    """All that automatic (or other) workflows run, and what they call that can't be followed."""

    runs: tuple[Run, ...]
    opaque: tuple[Run, ...]

    def matching(self, pattern: re.Pattern[str]) -> list[Run]:
        """The runs whose text the pattern finds."""
        return [run for run in self.runs if pattern.search(run.text)]


def is_automatic(workflow: Workflow) -> bool:
    """Whether anything but a person starts a workflow."""
    return any(trigger.event not in _MANUAL for trigger in workflow.triggers)


def of(inventory: Inventory, workflows: Iterable[Workflow] | None = None) -> Pipeline:
    """What these workflows run; without them, all that start by themselves."""
    chosen = [item for item in inventory.workflows if is_automatic(item)] if workflows is None else workflows
    runs: list[Run] = []
    opaque: list[Run] = []
    for workflow in chosen:
        for job in workflow.jobs:
            _of_job(_Follower(inventory, job), runs, opaque)
    return Pipeline(tuple(runs), tuple(opaque))


def starts(run: Run, suite: TestSuite) -> bool:
    """Whether a run starts the framework of a test suite in its folder, above or below it, or names the folder."""
    in_python = any(file.endswith(".py") for file in suite.files)
    pattern = tools.TEST_FRAMEWORKS.get("pytest" if in_python and suite.framework != "unittest" else suite.framework)
    if pattern is None or not pattern.search(run.text):
        return False
    if run.folder is None or not suite.folder:
        return True
    place, home = f"{_normal(run.folder)}/".lstrip("/"), f"{suite.folder}/"
    return home.startswith(place) or place.startswith(home) or suite.folder in run.text


def _of_job(follower: _Follower, runs: list[Run], opaque: list[Run]) -> None:
    job = follower.job
    if job.uses and not job.uses.startswith("./"):
        opaque.append(Run(job.uses, None, job, job.location))
    for step in job.steps:
        for text, place, known, location in follower.of_step(step):
            (runs if known else opaque).append(Run(text, place, job, location or step.location))


def _folder(step: Step, job: Job) -> str:
    return _normal(step.working_directory or job.working_directory)


def _normal(path: str) -> str:
    normal = posixpath.normpath(path) if path else ""
    return "" if normal == "." else normal


_Followed = tuple[str, str | None, bool]
"""A command's text, its folder, and whether it is known what it does."""


@dataclass
class _Follower:
    """Follows commands of one job to what they run in the end."""

    inventory: Inventory
    job: Job

    def of_step(self, step: Step, inside: bool = False) -> Iterator[tuple[str, str | None, bool, Location | None]]:
        """What a step runs; the steps of an action of the repository stand where the action is used."""
        if step.uses.startswith("./") and not inside:
            yield from self._of_action(step)
        elif step.uses:
            inputs = " ".join(f"{pair.name}={pair.value}" for pair in step.inputs)
            yield f"{step.uses} {inputs}".strip(), None, True, None
        for command in step.commands:
            folder = posixpath.join(_folder(step, self.job), command.folder)
            for text, place, known in self.follow(list(command.words), folder, 0):
                yield text, place, known, None if inside else command.location

    def _of_action(self, step: Step) -> Iterator[tuple[str, str | None, bool, Location | None]]:
        folder = _normal(step.uses)
        action = next((item for item in self.inventory.actions if posixpath.dirname(item.path) == folder), None)
        if action is None or not action.steps:
            yield step.uses, None, False, None
            return
        for inner in action.steps:
            yield from self.of_step(inner, inside=True)

    def follow(self, words: list[str], folder: str | None, depth: int) -> Iterator[_Followed]:
        """The command itself, then everything that it runs."""
        yield " ".join(words), folder, True
        core = _core(words)
        if not core or depth > _DEPTH:
            return
        program = posixpath.basename(core[0])
        if program in ("make", "gmake"):
            yield from self._make(core[1:], folder, depth)
        elif program in _PACKAGE_MANAGERS:
            yield from self._npm(core, folder, depth)
        elif program in ("docker", "docker-compose"):
            yield from self._compose(core, depth)
        elif program in _SHELLS or core[0].endswith((".sh", ".bash")) or core[0].startswith("./"):
            yield from self._script(core[1:] if program in _SHELLS else core, folder, depth)
        elif tools.TEST_ORCHESTRATORS.search(program):
            yield " ".join(words), folder, False

    def _make(self, arguments: list[str], folder: str | None, depth: int) -> Iterator[_Followed]:
        place, names = _place(arguments, folder)
        found = False
        for manifest in self.inventory.manifests:
            home = posixpath.dirname(manifest.path)
            if manifest.kind != "make" or not (place is None or home == _normal(place)):
                continue
            for target in manifest.targets:
                if target.name in names or (not names and target is manifest.targets[0]):
                    found = True
                    yield from self._commands(target.commands, home, depth)
        if not found:
            yield " ".join(["make", *names]), place, False

    def _commands(self, commands: tuple[Command, ...], home: str, depth: int) -> Iterator[_Followed]:
        for command in commands:
            yield from self.follow(list(command.words), _normal(posixpath.join(home, command.folder)), depth + 1)

    def _npm(self, core: list[str], folder: str | None, depth: int) -> Iterator[_Followed]:
        everywhere = any(word.partition("=")[0] in _EVERYWHERE for word in core)
        place, words = _place([word for word in core[1:] if word not in _EVERYWHERE], folder)
        name = _script_name(core[0], words)
        if not name:
            return
        packages = [item for item in self.inventory.manifests if item.kind == "npm"]
        here = [item for item in packages if posixpath.dirname(item.path) == _normal(place or "")]
        for manifest in packages if everywhere or place is None else here:
            for target in manifest.targets:
                if target.name == name:
                    yield from self._commands(target.commands, posixpath.dirname(manifest.path), depth)
        if not (packages if everywhere else here):
            yield " ".join(core), place, False

    def _script(self, arguments: list[str], folder: str | None, depth: int) -> Iterator[_Followed]:
        path = next((word for word in arguments if not word.startswith("-")), "")
        candidates = (_normal(posixpath.join(folder or "", path)), _normal(path))
        known = self.inventory.scripts_by_path
        script = next((known[item] for item in candidates if item in known), None)
        if script is None:
            if path:
                yield path, folder, False
            return
        for command in script.commands:
            # A script may go to its own folder or the root first; the paths in it tell little of where it is.
            yield from self.follow(list(command.words), _normal(command.folder) or (folder or ""), depth + 1)

    def _compose(self, core: list[str], depth: int) -> Iterator[_Followed]:
        rest = core[2:] if core[:2] == ["docker", "compose"] else core[1:] if core[0] == "docker-compose" else []
        verb, arguments = _split(rest)
        service, command = _split(arguments)
        if verb in ("run", "exec") and command:
            yield from self.follow(command, None, depth + 1)
        elif verb in ("run", "exec") and service:
            yield from self._service(service, depth)
        elif verb == "up":
            for name in [word for word in arguments if not word.startswith("-")]:
                yield from self._service(name, depth)

    def _service(self, name: str, depth: int) -> Iterator[_Followed]:
        for service in self.inventory.services_by_name.get(name, ()):
            words = [*service.entrypoint, *service.command] or self._image_command(service)
            folder = service.build.context if service.build else None
            yield from self.follow(words, folder, depth + 1)
            if len(words) > 2 and posixpath.basename(words[0]) in _SHELLS:
                for part in re.split(r"\s*(?:&&|;|\|\|)\s*", words[-1]):
                    yield from self.follow(part.split(), folder, depth + 1)

    def _image_command(self, service: Service) -> list[str]:
        found = services.dockerfile(self.inventory, service)
        if found is None or service.build is None:
            return []
        _, instructions = services.final_stage(found, service.build.target)
        last = {item.keyword: item.words for item in instructions if item.keyword in ("CMD", "ENTRYPOINT")}
        return [*last.get("ENTRYPOINT", ()), *last.get("CMD", ())]


def _script_name(program: str, words: list[str]) -> str:
    """The script of package.json that a package manager is told to run; empty if it does something else."""
    for word in ("run", "run-script"):
        if word in words:
            return next(iter(words[words.index(word) + 1 :]), "")
    first = next(iter(words), "")
    if first in _OWN_COMMANDS or (program == "npm" and first not in _LIFECYCLE):
        return ""
    return "test" if first == "t" else first


def _core(words: list[str]) -> list[str]:
    """A command without what only starts it: `uv run --frozen make test` is `make test`."""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _FOLDER_OPTIONS and index:
            index += 2
        elif word in _PREFIXES or (index and word.startswith("-")) or _ASSIGNMENT.match(word):
            index += 1
        else:
            break
    return words[index:]


def _place(arguments: list[str], folder: str | None) -> tuple[str | None, list[str]]:
    """Where a command runs after its own option for that (`-C backend`), and its arguments without options."""
    words: list[str] = []
    skip = False
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if skip:
            skip = False
        elif name in _FOLDER_OPTIONS:
            value = value if equals else next(iter(arguments[index + 1 : index + 2]), "")
            folder = _normal(posixpath.join(folder or "", value))
            skip = not equals
        elif not word.startswith("-") and not _ASSIGNMENT.match(word):
            words.append(word)
    return folder, words


def _split(words: list[str]) -> tuple[str, list[str]]:
    """The first word that is no option nor an option's value, and what follows it."""
    index = 0
    while index < len(words):
        if words[index] in _COMPOSE_VALUES:
            index += 2
        elif words[index].startswith("-"):
            index += 1
        else:
            return words[index], words[index + 1 :]
    return "", []
