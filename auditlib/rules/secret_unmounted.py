"""A program is told to read a secret that its container isn't given.

A secret that a project declares is in no container by that: each service names those that it is given. A program that
is told to read `/run/secrets/db_password` and finds nothing there doesn't start, or goes on without a password.

Anti-pattern:

    services:
      db:
        image: postgres:16
        environment: { POSTGRES_PASSWORD_FILE: /run/secrets/db_password }

Better:

    services:
      db:
        image: postgres:16
        environment: { POSTGRES_PASSWORD_FILE: /run/secrets/db_password }
        secrets: [db_password]
    secrets:
      db_password: { file: ./secrets/db_password.txt }

Recommendation:

    Name the secret in the service, and declare it in the project; or take the path out, where it is read no more.

References:

- https://docs.docker.com/compose/how-tos/use-secrets/
- https://docs.docker.com/reference/compose-file/services/#secrets
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Pair, Script
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PATH = regex(r"/run/secrets/[\w.-]{1,100}(?![\w./$*{-])")
_ASKS = regex(r"\[\s|\btest\s|\|\||2>\s?/dev/null|\bif\b|\bfor\b")
"""What asks whether a file is there, or goes on without it."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that is told of such paths, and each script that reads one in a container of the project."""
    shared = _places_that_are_served(inventory)
    for service in inventory.distinct_services:
        told = {path: place for path, place in _told(service) if place not in shared}
        lacking = {path: place for path, place in told.items() if not _has(inventory, service, path)}
        if lacking and not service.configs:
            yield _evidence(inventory, service, lacking)
    for script in inventory.scripts if inventory.services else ():
        if lost := [item for item in script.secret_paths if not _somebody_has(inventory, item.name)]:
            yield _of_script(script, lost)


def _told(service: Service) -> Iterator[tuple[str, Location]]:
    """The paths below `/run/secrets` in what a service itself says, where it surely reads them."""
    for entry in service.environment:
        text = entry.value.text if entry.value and entry.origin == "environment" else ""
        if entry.name.endswith("_FILE") and _PATH.fullmatch(text):
            yield text, entry.location
    place = service.command_location or service.location
    for word in (*service.entrypoint, *service.command):
        for path in _PATH.findall(word) if not _ASKS.search(word) else ():
            yield path, place


def _places_that_are_served(inventory: Inventory) -> set[Location]:
    """The lines of blocks that several services share, one of which has the secret."""
    return {place for service in inventory.services for path, place in _told(service) if _has(inventory, service, path)}


def _has(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether a container finds something at a path, with what overlays add."""
    for item in inventory.versions(service):
        mount = mounts.holding(item, path)
        if path in item.secret_files or (mount and mount.kind != "tmpfs"):
            return True
    return False


def _somebody_has(inventory: Inventory, path: str) -> bool:
    declared = any(item.kind == "secret" and item.name == posixpath.basename(path) for item in inventory.file_objects)
    return declared or any(_has(inventory, service, path) for service in inventory.distinct_services)


def _evidence(inventory: Inventory, service: Service, lacking: dict[str, Location]) -> Evidence:
    (_, first), *others = lacking.items()
    names = [posixpath.basename(item) for item in lacking]
    own = {item.name for item in inventory.file_objects if item.project == service.project and item.kind == "secret"}
    missing = [name for name in names if name not in own]
    made = "".join(f"\n  {name}: {{file: <a file that holds it>}}" for name in missing)
    return Evidence(
        f"{service.name} is told to read {listed(lacking)}, and is given no such secret: it finds nothing there.",
        first,
        subject=service.name,
        service=service.name,
        related=tuple(Related(place, f"{each} is missing, too", member=True) for each, place in others),
        recommendation=f"Add `secrets: [{', '.join(names[:4])}]` to {service.name}"
        f"{', and declare what the project lacks' if missing else ''}.",
        severity=Severity.LOW if environments.is_for_developers(inventory, service) else None,
        example=compose_lines.of_service(service, f"secrets: [{', '.join(names)}]")
        + (f"\nsecrets:{made}" if made else ""),
    )


def _of_script(script: Script, lost: list[Pair]) -> Evidence:
    first, *others = lost
    names = listed(dict.fromkeys(item.name for item in lost))
    return Evidence(
        f"{script.path} reads {names} in a container, and no service of the repository has such a secret: the command "
        "gets an empty text in its place.",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, f"reads {item.name}", member=True) for item in others),
        recommendation="Use what the container has now, such as a variable of its environment, or give it the secret.",
        confidence=Confidence.MEDIUM,
        example=files.into(script.path, "docker exec <container> sh -c '<command> \"$<the variable that holds it>\"'"),
    )
