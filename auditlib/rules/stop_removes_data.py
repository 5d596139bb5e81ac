"""A command that is called a stop removes the data too.

`docker compose down -v` deletes the named volumes of the project, and with them the database. Who wants to stop the
services, or to start them anew, has lost what they kept, and nothing asks before.

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
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.conventions import environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
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
_WORD = regex(r"[a-z0-9]+")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each target or script that by its name only stops or starts, and removes the volumes of a database."""
    for name, path, commands in _named(inventory):
        for command in commands if _is_harmless(name) else ():
            call = compose_command.of(command.words)
            if call and call.verb == "down" and {"-v", "--volumes"} & set(call.arguments):
                project = _project(inventory, call, posixpath.join(posixpath.dirname(path), command.folder))
                kept = _kept(inventory, project) if project else []
                if kept:
                    yield _evidence(name, path, command, kept)


def _named(inventory: Inventory) -> Iterator[tuple[str, str, tuple[Command, ...]]]:
    for manifest in inventory.manifests:
        yield from ((target.name, manifest.path, target.commands) for target in manifest.targets)
    for script in inventory.scripts:
        yield posixpath.splitext(posixpath.basename(script.path))[0], script.path, script.commands


def _is_harmless(name: str) -> bool:
    words = set(_WORD.findall(name.lower()))
    return bool(words & _HARMLESS) and not words & _TELLS


def _project(inventory: Inventory, call: Call, folder: str) -> Project | None:
    """The one project that a call names by its file or its folder."""
    wanted = {normal(posixpath.join(folder, file)) for file in call.files}
    found = [
        item for item in inventory.base_projects
        if (wanted <= set(item.files) if wanted else normal(posixpath.dirname(item.location.file)) == normal(folder))
    ]  # fmt: skip
    return found[0] if len(found) == 1 else None


def _kept(inventory: Inventory, project: Project) -> list[tuple[Service, Mount]]:
    """The databases of a project whose data is in a named volume of its own."""
    return [(service, mount) for service, product, mount in services.stores(inventory, project)
            if product.kind == "datastore" and mount.kind == "volume"]  # fmt: skip


def _evidence(name: str, path: str, command: Command, kept: list[tuple[Service, Mount]]) -> Evidence:
    text = " ".join(command.words)
    safe = " ".join(word for word in command.words if word not in ("-v", "--volumes"))
    return Evidence(
        f"{name} of {path} runs `{text}`: it deletes the data of {listed(service.name for service, _ in kept)} each "
        "time, and its name doesn't say so.",
        command.location,
        subject=name,
        related=tuple(Related(mount.location, f"the volume of {service.name}") for service, mount in kept[:6]),
        severity=Severity.LOW if environments.only_for_development(kept[0][0]) else None,
        recommendation=f"Leave `-v` out of {name}, and delete data in a target whose name says so.",
        example=files.into(path, f"{name}:\n\t{safe}" if "akefile" in path or path.endswith(".mk") else safe),
    )
