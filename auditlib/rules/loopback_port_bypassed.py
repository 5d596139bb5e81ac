"""A port is published for the host alone, and the container has an address of its own in the LAN.

`127.0.0.1:8811:8811` keeps other hosts away from the port of this host. In a network of the kind macvlan or ipvlan the
container is a host of the LAN by itself: everybody there reaches all its ports at its own address, past that limit.

Anti-pattern:

    services:
      gateway:
        image: ghcr.io/acme/gateway:1.4
        ports: ["127.0.0.1:8811:8811"]
        networks: [lan]
    networks:
      lan: {driver: macvlan}

Better:

    services:
      gateway:
        image: ghcr.io/acme/gateway:1.4
        ports: ["127.0.0.1:8811:8811"]

Recommendation:

    Take the service out of the LAN's network, or have it ask for a login, as everybody in the LAN reaches it.

References:

- https://docs.docker.com/engine/network/drivers/macvlan/
- https://docs.docker.com/engine/network/drivers/ipvlan/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import networks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Attachment, Network, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_LAN = frozenset({"macvlan", "ipvlan"})
_LOOPBACK = ("127.", "::1", "[::1]")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service all of whose ports are the host's own, in a network in which it is a host itself."""
    for service in inventory.distinct_services:
        if not service.ports or not all(port.host_ip.startswith(_LOOPBACK) for port in service.ports):
            continue
        for there in service.networks:
            network = networks.declared(inventory, service.project, there.network)
            if network is not None and network.driver in _OF_LAN:
                yield _evidence(service, there, network)
                break


def _evidence(service: Service, there: Attachment, network: Network) -> Evidence:
    ports = listed(f"port {port.target}" for port in service.ports)
    rest = ", ".join(item.network for item in service.networks if item.network != there.network)
    return Evidence(
        f"{service.name} publishes {ports} for the host alone, and is in {there.network}, a {network.driver} network: "
        "at its address there every host of the LAN reaches it.",
        service.ports[0].location,
        subject=f"{service.name}/{there.network}",
        service=service.name,
        related=(
            Related(there.location, f"{service.name} joins {there.network}"),
            Related(network.location, f"{network.name} is a {network.driver} network"),
        ),
        recommendation=f"Take {service.name} out of {there.network}, or have it ask for a login.",
        example=compose_lines.of_service(service, f"networks: [{rest or 'default'}]"),
    )
