"""Which variables of a template nothing in the repository reads, and which of them code reads by another name.

And which template goes with which Compose file, by the words that both names have.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, names, programs, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import EnvFile, EnvLine, Setting
from auditlib.inventory.stack import Project, Variable
from auditlib.model import Location
from auditlib.patterns import regex

_WORDS = regex(r"[._/-]+")
_OF_ANY = frozenset({"docker", "compose", "stack", "env", "yml", "yaml", "app", "local", ""})
"""Words in the names of such files that tell no environment."""
_SAME = {"prod": "production", "dev": "development", "develop": "development", "stage": "staging", "stg": "staging"}


def goes_with(inventory: Inventory, file: EnvFile, project: Project) -> bool:
    """Whether a template may be for a project: no other one is called as it is, and the project has none of its own.

    `.env.staging.example` is for `compose.staging.yml`, which then has no use for `.env.example`.
    """
    own, named = _roles(project.location.file), _roles(file.copied_to)
    if named & own:
        return True
    family, called = inventory.family(project.name), _projects_by_role(inventory)
    elsewhere = any(not called.get(role, frozenset()) <= {*family} for role in named)
    return not elsewhere and own.isdisjoint(_roles_beside(inventory).get(posixpath.dirname(file.path), ()))


@answered_once
def _projects_by_role(inventory: Inventory) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for project in inventory.projects:
        for role in _roles(project.location.file):
            found[role].add(project.name)
    return found


@answered_once
def _roles_beside(inventory: Inventory) -> dict[str, set[str]]:
    """By folder what the templates in it are for."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file in inventory.env_files:
        if file.template:
            found[posixpath.dirname(file.path)] |= _roles(file.copied_to)
    return found


def fitness(file: EnvFile, path: str) -> int:
    """How well the name of a template fits another file's: one of the same environment best, then one of none."""
    named = _roles(file.copied_to)
    return 2 if named & _roles(path) else int(not named)


def _roles(path: str) -> set[str]:
    """The words of a file's name that tell what it is for."""
    words = _WORDS.split(posixpath.basename(path).lower())
    return {_SAME.get(word, word) for word in words if word not in _OF_ANY}


def unused(inventory: Inventory) -> Iterator[tuple[EnvFile, list[EnvLine]]]:
    """Each template with its lines that no file of the repository names, unless that is all of them."""
    known = used(inventory)
    for file in inventory.env_files:
        if file.template and not (_goes_to_an_image(inventory, file) or is_for_laravel(inventory, file)):
            found = [line for line in file.lines if line.name and not line.commented and is_unused(line, known)]
            if found and len(found) < len(file.lines):  # all of them: it belongs to code that isn't here
                yield file, found


def near_misses(inventory: Inventory, template: EnvFile, lines: list[EnvLine]) -> Iterator[tuple[EnvLine, Setting]]:
    """The lines of a template that nothing reads, with what code beside it reads and nothing else names."""
    folder = posixpath.dirname(template.path)
    wanted = [item for item in _missed(inventory) if not folder or item.location.file.startswith(f"{folder}/")]
    for line in lines:
        found = {item.name: item for item in reversed(wanted) if names.is_near(line.name, item.name)}
        if len(found) == 1:
            yield line, next(iter(found.values()))


def renamed(inventory: Inventory) -> Iterator[tuple[EnvFile, EnvLine, Setting]]:
    """The lines of templates that are called as a field of pydantic's, which its class reads by a name near that one
    alone: that of its alias.
    """
    own = {(item.name, *item.aliases): item for item in inventory.settings if item.style == "pydantic"}
    fields = {
        item.attribute.rpartition(".")[2].upper(): item for read, item in own.items() if not programs.is_aside(item)
    }
    others = {item.name for item in inventory.variables} | {name for read in own for name in read}
    others |= {entry.name for item in inventory.services for entry in item.environment}
    others |= {item.name for item in inventory.settings}
    files = (item for item in inventory.named_variables if not item.path.endswith(".py"))
    named = {name for item in files for name in item.names}
    for template in inventory.env_files if fields else ():
        told = {line.name for line in template.lines}
        for line in template.lines if template.template else ():
            found = fields.get(line.name)
            if found is None or line.commented or line.name in others or line.name.lower() in named:
                continue
            if found.name not in told and names.is_near(line.name, found.name):
                yield template, line, found


def told_misses(inventory: Inventory) -> Iterator[tuple[str, Location, Variable]]:
    """The variables that a document or a comment has people give to Compose and that nothing reads, each with the one
    that a Compose file reads by nearly this name."""
    told = [
        (item.text, item.location) for file in inventory.documents for item in file.mentions if item.kind == "given"
    ]
    told += [item for project in inventory.projects for item in project.told_variables]
    passed = {entry.name for item in inventory.services for entry in item.environment if entry.value is None}
    used = passed.union(item.name for item in inventory.variables)  # whatever code reads, Compose passes on no more
    for name, place in dict.fromkeys(told):
        if name not in used and not programs.is_read_by_libraries(name):
            found = {item.name: item for item in reversed(inventory.variables) if names.is_near(name, item.name)}
            if len(found) == 1:
                yield name, place, next(iter(found.values()))


@answered_once
def _missed(inventory: Inventory) -> tuple[Setting, ...]:
    """The settings that programs read and that nothing sets or documents."""
    told = {line.name.lower() for file in inventory.env_files for line in file.lines}
    told |= {entry.name.lower() for service in inventory.services for entry in service.environment}
    told |= {item.name.lower() for item in inventory.variables}
    return tuple(item for item in inventory.settings if _is_missed(item, told))


def _is_missed(setting: Setting, told: set[str]) -> bool:
    known = not told.isdisjoint(name.lower() for name in (setting.name, *setting.aliases))
    usual = programs.is_read_by_libraries(setting.name) or programs.is_aside(setting)
    return not known and not usual and not setting.unused


def is_unused(line: EnvLine, used: frozenset[str]) -> bool:
    """Whether nothing has a use for a variable, neither what the repository names nor a library or the host."""
    known = programs.is_read_by_libraries(line.name) or environments.comes_from_the_host(line.name)
    return line.name.lower() not in used and not known and "__" not in line.name


@answered_once
def used(inventory: Inventory) -> frozenset[str]:
    """Every variable that Compose interpolates, that code reads, or that any other file names, in lower case."""
    names = {item.name for item in inventory.variables}
    entries = (entry for service in inventory.services for entry in service.environment)
    names |= {entry.name for entry in entries if entry.origin == "environment"}
    names |= {name for item in inventory.settings for name in (item.name, *item.aliases)}
    names |= {use.name for workflow in inventory.workflows for use in workflow.secrets}
    named = (name for file in inventory.named_variables for name in file.names)
    return frozenset({name.lower() for name in names}.union(named))


def is_for_laravel(inventory: Inventory, file: EnvFile) -> bool:
    """Whether the framework reads the file by a configuration of its own, which an application need not repeat."""
    marks = {"composer.json", "routes/web.php"}
    if {posixpath.join(posixpath.dirname(file.path), name) for name in marks} <= inventory.file_set:
        return True
    homes = {posixpath.dirname(path) for path in inventory.files_by_name.get("artisan", ())}
    framework = any({posixpath.join(home, name) for name in marks} <= inventory.file_set for home in homes)
    return framework and {"APP_KEY", "APP_ENV"} <= {line.name for line in file.lines}


def _goes_to_an_image(inventory: Inventory, file: EnvFile) -> bool:
    """Whether the file as it is may be given to an image that somebody else made, or that is built of code which isn't
    here, so that its variables are read there.
    """
    usual = {file.path, file.copied_to, posixpath.join(posixpath.dirname(file.path), ".env")}
    return not usual.isdisjoint(_read_by_others(inventory))


@answered_once
def _read_by_others(inventory: Inventory) -> frozenset[str]:
    """The environment files of services that aren't built of code which is here."""
    foreign = (item for item in inventory.services if services.dockerfile(inventory, item) is None)
    return frozenset(item.path for service in foreign for item in service.env_files)
