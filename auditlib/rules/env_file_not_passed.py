"""Documents have people fill in an environment file that reaches no container.

Compose hands a container nothing but what `environment` and `env_file` name, and an image holds what was copied into
it. Who follows the document believes that the program runs with the address and the password of the file, and it runs
with others.

Anti-pattern:

    # README.md
    cp backend/.env.example backend/.env    # fill in the database's address
    docker compose up -d
    # compose.yaml
    backend:
      build: ./backend                      # COPY src ./src
      environment:
        DATABASE_URL: postgresql://postgres:postgres@db:5432/app

Better:

    backend:
      build: ./backend
      env_file: ./backend/.env

Recommendation:

    Give the service the file with `env_file`, or tell people the file that counts.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/#use-the-env_file-attribute
- https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.conventions import env_file_uses, env_readers, environments, kept_env_files
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_STEPS = frozenset(
    {"cat", "cd", "nano", "vi", "vim", "code", "echo", "docker", "docker-compose", "git", "chmod", "sudo", "cp"}
)
"""What stands between the file and the start; anything else may be the program that reads it."""
_NEAR = 15
"""Lines from the file to the start: what is further down tells of something else."""


class _Filled(Struct, frozen=True):
    """A file that a document has people make, and the start that follows."""

    path: str
    made: Mention
    start: Mention


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every environment file beside a service's code that a document fills in for a start by Compose alone."""
    found: dict[str, list[_Filled]] = {}
    for document in inventory.documents:
        for item in _filled(inventory, document):
            found.setdefault(item.path, []).append(item)
    for path, items in found.items():
        service = _service(inventory, path)
        if service and not env_file_uses.is_used(inventory, path):
            yield _evidence(inventory, path, service, items)


def _filled(inventory: Inventory, document: Document) -> Iterator[_Filled]:
    """What is copied from a template, if nothing but handling stands between that and `docker compose up`."""
    commands = [item for item in document.mentions if item.kind == "command"]
    for index, item in enumerate(commands):
        path = kept_env_files.made_by(inventory, item, posixpath.dirname(document.path))
        for after in commands[index + 1 :] if path else ():
            if after.location.line - item.location.line > _NEAR:
                break
            words = after.text.split()
            call = compose_command.of(words)
            if call and call.verb == "up":
                yield _Filled(path, item, after)
                break
            if words[0] not in _STEPS:
                break


def _service(inventory: Inventory, path: str) -> Service | None:
    """The deployed service that is built from the folder of the file."""
    folder = posixpath.dirname(path)
    for service in inventory.deployed_services if folder else ():
        build = service.build
        beside = build and not build.outside and posixpath.normpath(build.context or ".") == folder
        if beside and not environments.only_for_development(service):
            return service
    return None


def _evidence(inventory: Inventory, path: str, service: Service, items: list[_Filled]) -> Evidence:
    first, *others = items
    names = env_readers.of_file(inventory, path)
    fixed = [
        entry
        for entry in service.environment
        if entry.name in names and entry.origin == "environment" and not entry.variables and entry.value is not None
    ]
    other = f"; {service.name} runs with the {listed(item.name for item in fixed)} of {service.location.file}"
    return Evidence(
        f"{first.made.location.file} has people fill in {path} before `{first.start.text}`, and no service is given "
        f"it, no image takes it along and no command reads it: what it says changes nothing in {service.name}"
        f"{other if fixed else ''}.",
        first.made.location,
        subject=path,
        service=service.name,
        related=(
            *(Related(item.made.location, f"has people fill in {path} too", member=True) for item in others),
            *(Related(entry.location, f"{service.name} gets {entry.name} here") for entry in fixed),
            Related(service.location, f"{service.name} is built beside the file"),
        ),
        recommendation=f"Give {service.name} {path} as its `env_file`, and take what the file is to decide out of "
        "`environment`.",
        severity=Severity.HIGH if env_readers.credentials(names) else None,
        example=compose_lines.of_service(service, _given(_beside(service, path), first.start.text)),
    )


def _given(path: str, start: str) -> str:
    """How Compose takes the file if it is there; its first version, which may be meant, knows nothing but the path."""
    if "docker-compose" in start:
        return f"env_file: {path}"
    return f"env_file:\n  - path: {path}\n    required: false  # a start without it goes on"


def _beside(service: Service, path: str) -> str:
    """The file as the Compose file has to name it."""
    return f"./{posixpath.relpath(path, posixpath.dirname(service.location.file) or '.')}"
