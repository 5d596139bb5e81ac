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

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service with ports all of whose networks are internal."""
    closed = {(item.project, item.name): item for item in inventory.networks if item.internal}
    for service in inventory.distinct_services:
        mine = [(service.project, item.network) for item in service.networks]
        if service.ports and mine and all(key in closed for key in mine) and not service.network_mode:
            names = listed(name for _, name in mine)
            yield Evidence(
                f"{service.name} publishes {listed(f'port {port.target}' for port in service.ports)}, but is only in "
                f"{names}, which {'is' if len(mine) == 1 else 'are'} internal: Docker publishes nothing of it.",
                service.ports[0].location,
                subject=f"{service.name}/internal",
                service=service.name,
                related=tuple(Related(closed[key].location, f"{key[1]} is internal") for key in mine),
                recommendation=f"Let {service.name} join a network that is not internal, or remove its ports.",
            )
