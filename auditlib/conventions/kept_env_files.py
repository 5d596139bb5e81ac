"""Where people keep an environment file that the repository itself doesn't hold, as its own files tell.

Sources: https://docs.docker.com/compose/how-tos/environment-variables/ for `env_file` and the `.env` of a project, and
the README of dotenv (https://github.com/motdotla/dotenv), which reads the `.env` of the working folder.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct, field

from auditlib.conventions.env_readers import credentials
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job, Step
from auditlib.inventory.document import Mention
from auditlib.model import Location
from auditlib.paths import upwards
from auditlib.patterns import regex

_ENV_FILE = regex(r"\.env(?:\.(?!example|sample|template|tmpl|tpl|dist|default)[\w-]+)*|[\w-]+\.env")
_VARIABLE_FOLDER = regex(r"^\$(?:\{\w+\}|\w+)/")
"""The folder of the checkout, as a script has it."""
_BUILD = regex(r"\bdocker (?:buildx |image )?build\b|\bdocker[- ]compose\b.* (?:build|--build)\b")
_PROJECT_FILES = ("package.json", "pyproject.toml", "requirements.txt", "Pipfile", "manage.py", "Dockerfile")


class Kept(Struct):
    """An environment file that people keep; `names` are the credentials that it holds, as far as these are known."""

    path: str
    signs: dict[Location, str] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    sure: bool = False
    """Whether nothing works without it, the instructions have people make it, or several kinds of files tell of it."""


def kept(inventory: Inventory) -> list[Kept]:
    """The environment files that people keep, those of Compose first."""
    found: defaultdict[str, list[_Sign]] = defaultdict(list)
    for sign in (*_of_compose(inventory), *_copied(inventory), *_templates(inventory), *_loaded(inventory)):
        found[sign.path].append(sign)
    return [_joined(inventory, path, signs) for path, signs in found.items()]


class _Sign(Struct, frozen=True):
    kind: str
    path: str
    location: Location
    text: str
    names: tuple[str, ...] = ()
    sure: bool = False


def _joined(inventory: Inventory, path: str, signs: list[_Sign]) -> Kept:
    result = Kept(path, sure=any(sign.sure for sign in signs) or len({sign.kind for sign in signs}) > 1)
    for sign in signs:
        result.signs.setdefault(sign.location, sign.text)
        result.names |= dict.fromkeys(sign.names)
    for file in inventory.env_files:
        if file.path == path:
            result.names |= dict.fromkeys(credentials(line.name for line in file.lines if not line.commented))
    return result


def _of_compose(inventory: Inventory) -> Iterator[_Sign]:
    for service in inventory.distinct_services:
        paths = {posixpath.normpath(item.path) for item in service.env_files}
        for item in service.env_files:
            path = posixpath.normpath(item.path)
            others = {"environment", *(paths - {path})}
            given = credentials(
                entry.name for entry in service.environment if posixpath.normpath(entry.origin) not in others
            )
            if _ENV_FILE.fullmatch(posixpath.basename(path)) and not path.startswith(("/", "..")):
                yield _Sign("compose", path, item.location, f"{service.name} is given {path}", given, item.required)
    folders = {item.name: posixpath.dirname(item.files[0]) for item in inventory.projects if item.files}
    for variable in inventory.variables:
        names = credentials((variable.name,))
        if names and variable.project in folders and variable.operator not in (":+", "+"):
            path = posixpath.join(folders[variable.project], ".env")
            yield _Sign("compose", path, variable.location, f"{variable.name} comes from it", names)


def _copied(inventory: Inventory) -> Iterator[_Sign]:
    """What documents, scripts and makefiles copy from a template."""
    for document in inventory.documents:
        for item in document.mentions:
            if item.kind == "command":
                home = posixpath.dirname(document.path)
                yield from _copy(inventory, item.text.split(), home, item.location)
    for command in _commands(inventory):
        yield from _copy(inventory, list(command.words), command.folder, command.location)


def made_by(inventory: Inventory, command: Mention, home: str) -> str:
    """The environment file that a command of a document copies from a template; empty for any other command."""
    return next((sign.path for sign in _copy(inventory, command.text.split(), home, command.location)), "")


def _commands(inventory: Inventory) -> Iterator[Command]:
    for script in inventory.scripts:
        yield from script.commands
    for manifest in inventory.manifests:
        for target in manifest.targets:
            yield from target.commands


def _copy(inventory: Inventory, words: list[str], home: str, place: Location) -> Iterator[_Sign]:
    plain = [_VARIABLE_FOLDER.sub("", word) for word in words if not word.startswith("-")]
    if len(plain) != 3 or plain[0] not in ("cp", "copy") or not _ENV_FILE.fullmatch(posixpath.basename(plain[2])):
        return
    template = next(iter(_places(inventory, plain[1], home)), "")
    if template:
        base = template.removesuffix(posixpath.normpath(plain[1]))
        path = posixpath.normpath(posixpath.join(base, plain[2]))
        names = _names_of(inventory, template)
        yield _Sign("copy", path, place, f"has people make {path}", names, sure=True)


def _places(inventory: Inventory, path: str, home: str) -> list[str]:
    """Where a template is that a command names: as seen from the root or the document, or the only one of its name."""
    tried = [posixpath.normpath(posixpath.join(folder, path)) for folder in ("", home)]
    there = [item for item in tried if item in inventory.file_set]
    same = [
        item for item in inventory.files_by_name.get(posixpath.basename(path), ()) if f"/{item}".endswith(f"/{path}")
    ]
    return there[:1] or (same if len(same) == 1 else [])


def _names_of(inventory: Inventory, path: str) -> tuple[str, ...]:
    return next(
        (credentials(line.name for line in file.lines) for file in inventory.env_files if file.path == path),
        (),
    )


class Written(Struct, frozen=True):
    """An environment file that a job writes into its checkout and from which it builds an image then."""

    path: str
    job: Job
    location: Location


def written(inventory: Inventory) -> Iterator[Written]:
    """The environment files of jobs that pack their checkout into an image afterwards."""
    for job in inventory.jobs:
        builds = [step.index for step in job.steps if _builds(step)]
        for step in job.steps:
            if any(step.index < index for index in builds):
                for command in step.commands:
                    for path in (path for text in command.writes for path in _spelled(text, job)):
                        if _ENV_FILE.fullmatch(posixpath.basename(path)):
                            folder = step.working_directory or command.folder
                            yield Written(posixpath.normpath(posixpath.join(folder, path)), job, command.location)


def _builds(step: Step) -> bool:
    """Whether a step builds an image of the runner's files; the action clones the repository anew without `context`."""
    if "/build-push-action" in step.uses:
        return any(pair.name == "context" for pair in step.inputs)
    return any(_BUILD.search(" ".join(command.words)) for command in step.commands)


def _spelled(text: str, job: Job) -> list[str]:
    """The names that a file has, one for each value of the matrix."""
    found = [text]
    for name, values in job.matrix:
        pattern = re.compile(r"\$\{\{\s*matrix\." + re.escape(name) + r"\s*\}\}")
        found = [pattern.sub(lambda _, value=value: value, each) for each in found for value in values or ("",)]  # type: ignore[misc]
    return found


def _templates(inventory: Inventory) -> Iterator[_Sign]:
    for file in inventory.env_files:
        names = credentials(line.name for line in file.lines)
        if file.copied_to and names and _ENV_FILE.fullmatch(posixpath.basename(file.copied_to)):
            yield _Sign("template", file.copied_to, file.location, f"the template of {file.copied_to}", names)


def _loaded(inventory: Inventory) -> Iterator[_Sign]:
    """What code loads from the folder that it is started in."""
    homes = {posixpath.dirname(path) for name in _PROJECT_FILES for path in inventory.files_by_name.get(name, ())}
    names: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for setting in inventory.settings:
        for home in _homes(setting.location.file, homes):
            names[home] |= dict.fromkeys(credentials((setting.name,)))
    for item in inventory.settings_files:
        for home in _homes(item.location.file, homes) if _ENV_FILE.fullmatch(item.path) else ():
            path = posixpath.join(home, item.path)
            yield _Sign("code", path, item.location, "the code loads it", tuple(names[home]))
    for manifest in inventory.manifests:
        home = posixpath.dirname(manifest.path)
        for need in manifest.requirements:
            if manifest.kind == "npm" and need.name in ("dotenv", "dotenv-flow") and need.group == "main":
                yield _Sign("code", posixpath.join(home, ".env"), need.location, "dotenv loads it", tuple(names[home]))


def _homes(path: str, homes: set[str]) -> list[str]:
    """The nearest folder above a file of code that holds a program."""
    above = (*upwards(posixpath.dirname(path)), "")
    return next(([folder] for folder in above if folder in homes), [])
