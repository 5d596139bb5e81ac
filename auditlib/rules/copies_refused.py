"""A document has its readers start several copies of a service of which one host can run only one.

A port of the host belongs to one container, and so does a `container_name`. Compose starts the first copy and ends with
"port is already allocated", or refuses the call altogether, just when more copies are needed.

Anti-pattern:

    # README.md: docker compose up -d --scale api=3
    api:
      ports: ["8000:8000"]

Better:

    api:
      expose: ["8000"]  # the proxy before it has the port of the host

Recommendation:

    Take the host's port, or the name, from the service and put a proxy before its copies; or don't scale it.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://docs.docker.com/reference/compose-file/services/#ports
- https://docs.docker.com/reference/compose-file/deploy/#replicas
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.compose.discovery import BASES
from auditlib.conventions import compose_calls, stacks, told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that a document wants in copies, with a port of the host or a fixed name.

    Of what commands and Compose files want in copies, others tell.
    """
    asked = _asked(inventory)
    swarm = stacks.swarm_files(inventory)
    for service in inventory.distinct_services:
        if service.location.file in swarm:
            continue
        port = next(filter(_is_one, service.ports), None)
        told = [item for item in asked.get(service.name, ()) if _starts(inventory, item, service)]
        if told and (port or service.container_name):
            yield _of_command(service, port, told)


def _asked(inventory: Inventory) -> dict[str, list[Told]]:
    """By service the commands of documents that start several copies of it; none that commands of programs do."""
    found: dict[str, list[Told]] = {}
    for told in told_commands.everywhere(inventory):
        scales = told.by_document and any("scale" in word for word in told.words)
        call = compose_command.of(told.words) if scales else None
        for name, number in call.copies.items() if call else ():
            if number > 1 and name not in compose_calls.scaled(inventory):
                found.setdefault(name, []).append(told)
    return found


def _starts(inventory: Inventory, told: Told, service: Service) -> bool:
    """Whether a command reads the file of a service, and no overlay beside it, which may take the port away."""
    call = compose_command.of(told.words)
    named = {posixpath.basename(file) for file in call.files} if call else set()
    own = posixpath.basename(service.location.file)
    changing = [item for item in inventory.versions(service) if item.changed_at]
    overlaid = any(item.changed_at and posixpath.basename(item.changed_at.file) in named for item in changing)
    return (own in named and not overlaid) if named else own in BASES and _is_near(inventory, told, service)


def _is_near(inventory: Inventory, told: Told, service: Service) -> bool:
    """Whether a document speaks of the project of a service: of that in its own folder, if there is one."""
    home = posixpath.dirname(told.location.file)
    folders = {posixpath.dirname(item.location.file) for item in inventory.projects}
    return posixpath.dirname(service.location.file) == home or home not in folders


def _is_one(port: Port) -> bool:
    """Whether a port is published at one port of the host, and not at one of a range."""
    return port.host_port.isdigit()


def _cause(service: Service, port: Port | None) -> tuple[str, Location]:
    if port:
        return f"it takes port {port.host_port} of the host", port.location
    return "it has a fixed name", service.container_name_location or service.location


def _of_command(service: Service, port: Port | None, told: list[Told]) -> Evidence:
    first, *others = told
    why, place = _cause(service, port)
    return Evidence(
        f"{first.caller} `{first.text[:80]}`, and {service.name} can run only once on a host: {why}.",
        first.location,
        subject=f"{service.key}/copies",
        service=service.name,
        related=(
            Related(place, why),
            *(Related(item.location, "asks for copies too", member=True) for item in others),
        ),
        recommendation=f"Take the {'port' if port else 'name'} from {service.name} in {place.file}, or don't scale it.",
        example=compose_lines.of_service(service, _instead(port)),
    )


def _instead(port: Port | None) -> str:
    return f'expose: ["{port.target}"]  # in place of `ports`' if port else "# no container_name"
