"""A port is published of a service that only internal networks reach.

Docker publishes no port of a container all of whose networks are internal: `docker compose ps` shows none, and
connections to the host's port are refused.

Anti-pattern:

    services:
      db:
        image: postgres:16
        ports: ["127.0.0.1:5432:5432"]
        networks: [back]
    networks:
      back: {internal: true}

Better:

    services:
      db:
        image: postgres:16
        ports: ["127.0.0.1:5432:5432"]
        networks: [back, admin]
    networks:
      back: {internal: true}
      admin: {}

Recommendation:

    Remove the port, or let the service join a network with a way out.

References:

- https://docs.docker.com/reference/compose-file/networks/#internal
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import networks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service with ports all of whose networks are internal."""
    for service in inventory.distinct_services:
        closed = networks.closed_around(inventory, service) if service.ports else []
        if closed:
            yield _evidence(inventory, service, closed)


def _evidence(inventory: Inventory, service: Service, closed: list[Network]) -> Evidence:
    return Evidence(
        f"{service.name} publishes {listed(f'port {port.target}' for port in service.ports)}, but is only in "
        f"{listed(item.name for item in closed)}, which {'is' if len(closed) == 1 else 'are'} internal: Docker "
        "publishes nothing of it.",
        service.ports[0].location,
        subject=f"{service.name}/internal",
        service=service.name,
        related=tuple(Related(item.location, f"{item.name} is internal") for item in closed),
        recommendation=f"Let {service.name} join a network that is not internal, or remove its ports.",
        example=compose_lines.of_service(service, _networks(inventory, service, closed)),
    )


def _networks(inventory: Inventory, service: Service, closed: list[Network]) -> str:
    """Those of the service with one more that is not internal: another of the project, or the default one."""
    others = (item for item in inventory.networks if item.project == service.project and _leads_out(inventory, item))
    names = [*(item.name for item in closed), next((item.name for item in others), "default")]
    return f"networks: [{', '.join(names)}]"


def _leads_out(inventory: Inventory, network: Network) -> bool:
    """Whether ports are published by a network of the project that is no way to Docker's own interface."""
    mine = inventory.services_of(network.project).values()
    inside = (item for item in mine if any(each.network == network.name for each in item.networks))
    docker = any(mount.source.endswith("docker.sock") for item in inside for mount in item.mounts)
    return not (network.internal or network.external or docker) and network.driver in ("", "bridge", "default")
