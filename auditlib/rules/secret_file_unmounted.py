"""A program is told to read a secret from a file that its container doesn't get.

Compose mounts a secret only into the services that list it, at `/run/secrets/<name>`. A service that is given
`DB_PASSWORD_FILE: /run/secrets/db_password` and lacks `secrets: [db_password]` finds no file there: it refuses to
start, or starts without a password.

Anti-pattern:

    services:
      api:
        environment: {DB_PASSWORD_FILE: /run/secrets/db_password}
    secrets:
      db_password: {file: ./secrets/db_password.txt}

Better:

    services:
      api:
        environment: {DB_PASSWORD_FILE: /run/secrets/db_password}
        secrets: [db_password]
    secrets:
      db_password: {file: ./secrets/db_password.txt}

Recommendation:

    List the secret in the service that reads it.

References:

- https://docs.docker.com/compose/how-tos/use-secrets/
- https://docs.docker.com/reference/compose-file/services/#secrets
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, stacks
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

_FOLDER = "/run/secrets"
_NAMED = regex(r"/run/secrets/([\w.-]{1,100})(?=[\s\"'`),;]|$)")
_GUARDED = regex(r"\[\[? -[fers] |test -[fers] |\|\|")


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose variables or command name files of secrets that nothing puts into its container."""
    for service in inventory.deployed_services:
        named = dict(_named(service))
        if not named:
            continue
        missing = {name: place for name, place in named.items() if _is_missing(inventory, service, name)}
        if missing:
            yield _evidence(inventory, service, missing)
    for script in inventory.scripts if inventory.services else ():
        if lost := [item for item in script.secret_paths if not _somebody_has(inventory, item.name)]:
            yield _of_script(script, lost)


def _somebody_has(inventory: Inventory, path: str) -> bool:
    """Whether some container finds something at a path, or a project declares a secret that is called so."""
    declared = any(item.kind == "secret" and item.name == posixpath.basename(path) for item in inventory.file_objects)
    found = ((item, mounts.holding(item, path)) for item in inventory.services)
    return declared or any(path in item.secret_files or (there and there.kind != "tmpfs") for item, there in found)


def _of_script(script: Script, lost: list[Pair]) -> Evidence:
    """Of a script that reads a secret in a container, of which no service is given one."""
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


def _named(service: Service) -> Iterator[tuple[str, Location]]:
    """The secrets that a service's variables and its command name by their files."""
    for entry in service.environment:
        text = entry.value.text if entry.value else ""
        if text.startswith(_FOLDER) and posixpath.dirname(text) == _FOLDER:
            yield posixpath.basename(text), entry.location
    text = " ".join((*service.entrypoint, *service.command))
    if _FOLDER in text and not _GUARDED.search(text):
        for match in _NAMED.finditer(text):
            yield match[1], service.command_location or service.location


def _is_missing(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether neither the service nor what an overlay makes of it gets the file."""
    path = f"{_FOLDER}/{name}"
    return not stacks.somewhere(
        inventory, service, lambda item: path in item.secret_files or mounts.holding(item, path) is not None
    )


def _evidence(inventory: Inventory, service: Service, missing: dict[str, Location]) -> Evidence:
    declared = {
        item.name for item in inventory.file_objects if item.kind == "secret" and item.project == service.project
    }
    names = list(missing)
    one = len(names) == 1
    known = [name for name in names if name in declared]
    fault = "doesn't list" if known else "isn't given"
    return Evidence(
        f"{service.name} reads {listed(names)} from /run/secrets, and {fault} the secret{'' if one else 's'}: "
        f"the file{' is' if one else 's are'} not in its container.",
        missing[names[0]],
        subject=f"{service.name}/secrets",
        service=service.name,
        related=tuple(Related(missing[name], f"{name} is missing too", member=True) for name in names[1:]),
        recommendation=f"List {listed(names)} in `secrets` of {service.name}"
        f"{'' if len(known) == len(names) else ', and declare what is not at the top of the file'}.",
        severity=Severity.MEDIUM if environments.is_for_developers(inventory, service) else None,
        example=compose_lines.of_service(service, f"secrets: [{', '.join((*service.secrets, *names))}]"),
    )
