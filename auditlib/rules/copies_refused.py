"""Several copies are asked for of a service of which one host can run only one.

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

from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import stacks, told_commands
from auditlib.conventions.told_commands import Told
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that a command, a document or its own Compose file wants in copies, with a port of the host.

    Of names that are fixed another rule tells, where it isn't a document that asks.
    """
    asked = _asked(inventory)
    swarm = stacks.swarm_files(inventory)
    for service in inventory.distinct_services:
        if service.location.file in swarm:
            continue
        port = next(filter(_is_one, service.ports), None)
        told = asked.get(service.name)
        own = (service.replicas or 0) > 1
        named = bool(service.container_name)
        if told and ((told[0].by_document and (port or named)) or (port and not named)):
            yield _of_command(service, port, told)
        elif own and port and not named:
            yield _of_replicas(service, port)


def _asked(inventory: Inventory) -> dict[str, list[Told]]:
    """By service the commands that start several copies of it."""
    found: dict[str, list[Told]] = {}
    for told in told_commands.everywhere(inventory):
        call = compose_command.of(told.words) if any("scale" in word for word in told.words) else None
        for name, number in call.copies.items() if call else ():
            if number > 1:
                found.setdefault(name, []).append(told)
    return found


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
        severity=Severity.LOW if first.by_document else None,
        example=compose_lines.of_service(service, _instead(port)),
    )


def _of_replicas(service: Service, port: Port) -> Evidence:
    return Evidence(
        f"{service.name} is to run in {service.replicas} copies, and each wants port {port.host_port} of the host: "
        "only one of them starts.",
        port.location,
        subject=f"{service.key}/copies",
        service=service.name,
        recommendation=f"Take port {port.host_port} from {service.name}, and publish that of a proxy before it.",
        example=compose_lines.of_service(service, _instead(port)),
    )


def _instead(port: Port | None) -> str:
    return f'expose: ["{port.target}"]  # in place of `ports`' if port else "# no container_name"
