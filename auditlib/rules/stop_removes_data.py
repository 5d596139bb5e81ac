"""A command that is called a stop removes the data too.

`docker compose down -v` deletes the named volumes of the project, and with them the database. Who wants to stop the
services, or to start them anew, has lost what they kept, and nothing asks before. The same holds for a document that
names the command as a remedy, without a word on the data.

Anti-pattern:

    compose-down:
        docker compose down -v

Better:

    compose-down:
        docker compose down

    reset-data:  # deletes the database
        docker compose down --volumes

Recommendation:

    Leave `-v` out, and give what deletes data a target of its own whose name says so.

References:

- https://docs.docker.com/reference/cli/docker/compose/down/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib import compose_command, stages
from auditlib.compose.discovery import BASES
from auditlib.compose_command import Call
from auditlib.conventions import compose_calls, environments, kept_data, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.document import Mention
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import normal
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HARMLESS = frozenset({"down", "stop", "restart", "up", "start", "deploy", "redeploy", "update", "upgrade", "release"})
_TELLS = frozenset({
    "clean", "reset", "purge", "destroy", "nuke", "wipe", "fresh", "prune", "drop", "delete", "remove", "rm", "volumes",
    "volume", "data", "all", "hard", "full", "v", "test", "tests", "e2e", "ci", "integration", "teardown", "clear",
    "rebuild", "reinit", "recreate", "scratch",
})  # fmt: skip
"""Words of a name that say that data goes, or that it is that of a test."""
_CLEANS = frozenset({"clean", "cleanup", "clean-up"})
_VOLUMES = frozenset({"-v", "--volumes"})
_DATA = regex(r"^(?!.*(?:cache|tmp|temp|log|build|static|node|test)).*(?:^|[_-])(?:data|storage)$", re.I)
_DATA_FOLDER = regex(r"(?:^|/)(?:data|storage|[\w-]+[_-]data)(?:/|$)")
_PATTERN = regex(r"[\w|-]+")
"""The pattern of a `case`, where it holds words."""
_TOLD = regex(
    r"clean|reset|purge|wipe|volume|delete|remove|destroy|REPLY|answer|confirm|choice|"
    r"\[(?:Yy|yY)\]|\b[yj](?:es)?\b",
    re.I,
)
"""What a condition holds that lets data go only where somebody wants it."""
_WORD = regex(r"[a-z0-9]+")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each target or script that by its name only stops or starts, and removes the volumes of a database; each line of
    a document that has its readers do so unwarned.
    """
    for name, path, commands in _named(inventory):
        for command in commands if _is_harmless(name) or _keeps_by_contrast(inventory, name, path) else ():
            if any(map(_TOLD.search, command.branch)):
                continue
            call = compose_command.of(command.words)
            if call and call.verb == "down" and _VOLUMES & set(call.arguments):
                project = _project(inventory, call, posixpath.join(posixpath.dirname(path), command.folder))
                kept = _kept(inventory, project) if project else []
                if kept:
                    yield _evidence(inventory, name, path, command, kept)

    for document in inventory.documents:
        for item in document.mentions if not stages.is_for_development(document.path) else ():
            if item.kind == "wipe":
                yield from _of_document(inventory, document.path, item)
                yield from _of_volume(inventory, document.path, item)


def _keeps_by_contrast(inventory: Inventory, name: str, path: str) -> bool:
    """Whether a target that cleans stands beside another whose name says that it takes more (`clean`, `clean-all`)."""
    if name not in _CLEANS:
        return False
    others = (target.name for item in inventory.manifests if item.path == path for target in item.targets)
    return any(set(_WORD.findall(other.lower())) & _TELLS - {"clean"} and other.startswith(name) for other in others)


def _of_document(inventory: Inventory, path: str, item: Mention) -> Iterator[Evidence]:
    for call in compose_calls.in_text(item.text):
        project = _project(inventory, call, posixpath.dirname(path)) or _project(inventory, call, "")
        kept = _kept(inventory, project) if project and call.is_for_all else []
        if kept and not call.project:
            names = _whose(inventory, kept)
            safe = " ".join(word for word in item.text.split() if word not in _VOLUMES)
            yield Evidence(
                f"{path} has its readers run `{item.text}`, which deletes the data of {names}, and doesn't say so.",
                item.location,
                subject=f"{path} {item.text}",
                related=tuple(Related(mount.location, f"the volume of {service.name}") for service, mount in kept[:6]),
                severity=Severity.LOW,
                recommendation=f"Leave `-v` out of {path}, or say there that the data of {names} goes.",
                change=(item.text, safe),
                example=files.into(path, safe),
            )


def _of_volume(inventory: Inventory, path: str, item: Mention) -> Iterator[Evidence]:
    """The removal of a volume by its name, where a database keeps its data in it."""
    removed = item.text.split()[-1] if "volume" in item.text.split()[1:2] else ""
    kept = [
        (service, mount)
        for project in inventory.base_projects if removed
        for service, mount in _kept(inventory, project)
        if removed == mount.source or removed in _called(inventory, project, mount)
    ]  # fmt: skip
    if kept:
        service, mount = kept[0]
        yield Evidence(
            f"{path} has its readers run `{item.text}`, which deletes the data of {service.name}, and doesn't say so.",
            item.location,
            subject=f"{path} {item.text}",
            related=(Related(mount.location, f"the volume of {service.name}"),),
            severity=Severity.LOW,
            recommendation=f"Take the command out of {path}, or say there that the data of {service.name} goes.",
            example=files.into(path, f"<a remedy that keeps {removed}, or: this deletes the data of {service.name}>"),
        )


def _called(inventory: Inventory, project: Project, mount: Mount) -> set[str]:
    """What Docker calls the volume of a mount: by its own name, or by the project's before that of the file."""
    names = {item.called for item in inventory.volumes if item.project == project.name and item.name == mount.source}
    return {name for name in (*names, f"{project.called}_{mount.source}" if project.called else "") if name}


def _named(inventory: Inventory) -> Iterator[tuple[str, str, tuple[Command, ...]]]:
    for manifest in inventory.manifests:
        yield from ((target.name, manifest.path, target.commands) for target in manifest.targets)
    for script in inventory.scripts:
        own = posixpath.splitext(posixpath.basename(script.path))[0]
        for command in script.commands:
            yield _action(command) or own, script.path, (command,)


def _action(command: Command) -> str:
    """What a script calls the part of it that a command is in: a pattern of its `case`, or a function with a word that
    says whether data goes.
    """
    patterns = [item for item in command.branch if _PATTERN.fullmatch(item)]
    says = set(_WORD.findall(command.function.lower())) & (_HARMLESS | _TELLS)
    return patterns[-1] if patterns else command.function if says else ""


def _is_harmless(name: str) -> bool:
    words = set(_WORD.findall(name.lower()))
    return bool(words & _HARMLESS) and not words & _TELLS


def _project(inventory: Inventory, call: Call, folder: str) -> Project | None:
    """The one project that a call names by its file or its folder."""
    wanted = {normal(posixpath.join(folder, file)) for file in call.files}
    found = [
        item for item in inventory.base_projects
        if (wanted <= set(item.files) if wanted else _is_default(item, folder))
    ]  # fmt: skip
    return found[0] if len(found) == 1 else None


def _is_default(project: Project, folder: str) -> bool:
    """Whether a call in a folder that names no file means the project."""
    home, name = posixpath.split(project.location.file)
    return normal(home) == normal(folder) and name in BASES


def _kept(inventory: Inventory, project: Project) -> list[tuple[Service, Mount]]:
    """The databases of a project whose data is in a named volume of its own, then the applications of which it is; or
    else the stores of its monitoring.
    """
    databases = [(service, mount) for service, product, mount in kept_data.stores(inventory, project)
                 if product.kind == "datastore" and mount.kind == "volume"]  # fmt: skip
    told = {mount.source for _, mount in databases}
    files: dict[str, tuple[Service, Mount]] = {}
    for service, mount in _files(inventory, project):
        files.setdefault(mount.source, (service, mount))
    watched = kept_data.monitoring_data(inventory, project)
    found = databases + [found for volume, found in files.items() if volume not in told]
    return found or [(service, mount) for service, _, mount in watched if mount.kind == "volume"]


def _whose(inventory: Inventory, kept: list[tuple[Service, Mount]]) -> str:
    """The stores, and the applications with the volumes that they keep something in."""
    return listed(
        service.name if services.product(inventory, service) else f"{service.name} in {mount.source}"
        for service, mount in kept
    )


def _files(inventory: Inventory, project: Project) -> Iterator[tuple[Service, Mount]]:
    """The named volumes that hold data by their name or their folder, and that an application built here writes to."""
    yield from ((service, mount) for service, _, mount in kept_data.files(inventory, project))
    for service in inventory.services_of(project.name).values():
        for mount in kept_data.lasting(service) if service.build else ():
            if mount.kind == "volume" and _DATA.search(mount.source) and _DATA_FOLDER.search(mount.target):
                yield service, mount


def _evidence(
    inventory: Inventory, name: str, path: str, command: Command, kept: list[tuple[Service, Mount]]
) -> Evidence:
    first = kept[0][0]
    minor = environments.only_for_development(first) or not services.is_datastore(inventory, first)
    text = " ".join(command.words)
    safe = " ".join(word for word in command.words if word not in _VOLUMES)
    return Evidence(
        f"{name} of {path} runs `{text}`: it deletes the data of {_whose(inventory, kept)} each "
        "time, and its name doesn't say so.",
        command.location,
        subject=name,
        related=tuple(Related(mount.location, f"the volume of {service.name}") for service, mount in kept[:6]),
        severity=Severity.LOW if minor else None,
        recommendation=f"Leave `-v` out of {name}, and delete data in a target whose name says so.",
        example=files.into(path, f"{name}:\n\t{safe}" if "akefile" in path or path.endswith(".mk") else safe),
    )
