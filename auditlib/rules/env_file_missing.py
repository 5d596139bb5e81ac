"""A Compose file needs an environment file that the repository neither has nor explains.

Compose refuses to start when a file of `env_file` doesn't exist. That the file is not committed is right if it holds
secrets; but then a template, a script or a document has to say what belongs into it.

Anti-pattern:

    services:
      api:
        env_file: ./backend.env        # nowhere to be found, nowhere described

Better:

    services:
      api:
        env_file:
          - path: ./backend.env        # see backend.env.example
            required: false

Recommendation:

    Commit a template of the file without its values, and name it in the README; or remove the reference.

References:

- https://docs.docker.com/reference/compose-file/services/#env_file
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Collection, Iterator

from auditlib import stages
from auditlib.conventions import deployment, encrypted_copies, environments, image_variables, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvFileReference, Project
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules import _told_env_files as told_env_files
from auditlib.rules._rule import Evidence, rule

_CALLED = regex(r"[\w-][\w.-]*\.env")
"""A name with a word before `.env`: that documents speak of a backend, and of an environment, says nothing of it."""
_ENVIRONMENT_WORD = regex(r"[._-](?:local|dev|development|prod|production|staging|test|docker)(?=$|[._-])", re.I)


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every missing file once, with all services that need it."""
    wanted: defaultdict[str, dict[EnvFileReference, str]] = defaultdict(dict)
    for service in inventory.services:
        for reference in service.env_files:
            path = reference.path
            inside = path and not path.startswith(("/", "~", "..")) and "$" not in path
            if not reference.required or not inside or path in inventory.file_set:
                continue
            if not inventory.leads_through_link(posixpath.normpath(path)):
                wanted[posixpath.normpath(path)].setdefault(reference, service.name)
    explained = _explained(inventory)
    demanded = _demanded(inventory) if wanted else {}
    for path, references in wanted.items():
        name = posixpath.basename(path)
        if encrypted_copies.of(inventory, path):  # what decrypts it may be a loop over all that are there
            continue
        if not _has_template(inventory, path) and name not in explained and not _is_described(inventory, name):
            yield _evidence(inventory, path, references, demanded)
    for path, places in told_env_files.missing(inventory).items():
        name = posixpath.basename(path)
        told = name in explained or _is_described(inventory, name) or encrypted_copies.of(inventory, path)
        if path not in wanted and not told and not _has_template(inventory, path):
            yield _of_commands(path, places)


def _of_commands(path: str, places: list[Location]) -> Evidence:
    """A file that commands give Compose, and that nobody says how to make."""
    first, *others = places
    return Evidence(
        f"{first.file} gives Compose {path}, which the repository doesn't have; no template, other command or document "
        "says what belongs into it, and Compose refuses to start without it, unless it lies on the host.",
        first,
        subject=f"command/{path}",
        related=tuple(Related(place, "another command that gives it") for place in others),
        recommendation=f"Commit {path}.example with the variables that Compose reads and say in the README to copy it.",
        example=files.into(f"{path}.example", "<each variable that the Compose file reads>="),
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
    )


def _has_template(inventory: Inventory, path: str) -> bool:
    """Whether a file says what belongs into `path`: `backend.env.example`, or `.env.example` for `.env.production`."""
    folder, name = posixpath.split(path)
    plain = _ENVIRONMENT_WORD.sub("", name)
    for file in inventory.files:
        where, other = posixpath.split(file)
        bare = stages.without_template_word(other) if where in (folder, "") else ""
        if bare != other and bare.lstrip(".") in (name.lstrip("."), plain.lstrip(".")):
            return True
    return False


def _is_described(inventory: Inventory, name: str) -> bool:
    """Whether a document names the file; of one that is called for its kind alone, all words of its name."""
    if _CALLED.fullmatch(name):
        return any(document.names_env_file(name) for document in inventory.documents)
    return _is_spoken_of(inventory, name)


def _is_spoken_of(inventory: Inventory, name: str) -> bool:
    """Whether all words of a file's name stand in one document."""
    words = set(re.findall(r"[a-z]{2,}", name.lower()))
    return any(words <= document.words for document in inventory.documents)


def _explained(inventory: Inventory) -> set[str]:
    """The names of files that a command reads or writes."""
    given = [command for step in inventory.steps for command in step.remote]
    words = [
        word
        for command in (*deployment.commands(inventory), *given)
        for word in (*told_env_files.words_beside(command.words), *command.writes)
    ]
    words += [step.run for step in inventory.steps if ".env" in step.run]
    words += [pair.value for step in inventory.steps for pair in step.inputs if ".env" in pair.value]
    return {posixpath.basename(part.strip("\"'`,;:()")) for word in words for part in re.split(r"[\s=>]+", word)}


def _demanded(inventory: Inventory) -> dict[str, list[str]]:
    """The settings that the code of services reads and that they aren't given, by the service's name."""
    found: dict[str, list[str]] = {}
    for program in programs.programs(inventory):
        names = [item.name for item in program.settings if item.name not in program.given]
        found.setdefault(program.service.name, names)
    return found


def _known(inventory: Inventory, path: str, names: Collection[str]) -> Iterator[str]:
    """What else is known to be wanted of the file: by the images of the services, and by Compose itself."""
    for service in inventory.distinct_services:
        if service.name in names and service.build is None:
            yield from image_variables.needed(service.image)[:1]
    reading = {item.name for item in inventory.projects if path == _beside(item)}
    yield from (item.name for item in inventory.variables if item.project in reading and item.source == "unset")


def _beside(project: Project) -> str:
    """The file from which Compose fills in the variables of a project."""
    return project.env_file or posixpath.join(posixpath.dirname(project.location.file), ".env")


def _rest(names: Collection[str], demanded: dict[str, list[str]]) -> list[str]:
    """What stands for the variables of services whose code isn't known."""
    unknown = [name for name in names if not demanded.get(name)]
    return [f"<what else {listed(unknown)} {'reads' if len(unknown) == 1 else 'read'}>="] if unknown else []


def _evidence(
    inventory: Inventory, path: str, references: dict[EnvFileReference, str], demanded: dict[str, list[str]]
) -> Evidence:
    (first, service), *others = references.items()
    names = dict.fromkeys(references.values())
    read = (setting for name in names for setting in demanded.get(name, ()))
    wanted = dict.fromkeys([*read, *_known(inventory, path, names)])
    needs = "needs" if len(names) == 1 else "need"
    unread = (*deployment.unfollowed_ci(inventory), *deployment.orchestrator_files(inventory))[:1]
    doubt = f", unless {unread[0]} and the like do" if unread else ""
    return Evidence(
        f"{listed(names)} {needs} {path}, which the repository doesn't have; no template, command or document says "
        f"what belongs into it{doubt}, and Compose refuses to start without it.",
        first.location,
        subject=path,
        service=service,
        related=tuple(Related(item.location, f"{name} needs it here", member=True) for item, name in others),
        recommendation=f"Commit {path}.example with the variables that {counted(len(names), 'service')} "
        f"{'expects' if len(names) == 1 else 'expect'} and say in the README to copy it.",
        example=files.into(f"{path}.example", "\n".join([*(f"{name}=" for name in wanted), *_rest(names, demanded)])),
        severity=Severity.LOW if environments.is_for_development(first.location.file) else None,
        confidence=Confidence.MEDIUM if unread or _is_spoken_of(inventory, posixpath.basename(path)) else None,
    )
