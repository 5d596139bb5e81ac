"""ufw is told to close ports that Docker opens all the same.

Docker writes its own rules for the ports that it publishes, and the kernel asks them before those of ufw: a port
without an address is open to everybody who reaches the host, whatever `ufw status` says. Who has set up the firewall
believes that only a few ports are open.

Anti-pattern:

    # setup.sh
    ufw default deny incoming
    ufw allow 22/tcp
    ufw enable
    # compose.yaml
    grafana:
      ports: ["3000:3000"]

Better:

    grafana:
      ports: ["127.0.0.1:3000:3000"]

Recommendation:

    Publish such ports on 127.0.0.1 or on an address of a private network, or filter them in the chain DOCKER-USER.

References:

- https://docs.docker.com/engine/network/packet-filtering-firewalls/#docker-and-ufw
- https://docs.docker.com/engine/network/port-publishing/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, firewalls, published_ports
from auditlib.conventions.firewalls import Firewall
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the published ports that ufw, by all that the repository has it told, is to keep out."""
    firewall = firewalls.ufw(inventory)
    if firewall is None:
        return
    found = [
        (service, port)
        for service in inventory.deployed_services
        if not environments.is_for_developers(inventory, service)
        for port in published_ports.public_ports(service)
        if port.host_port.isdigit() and port.protocol != "udp" and firewall.keeps_out(port.host_port)
    ]
    if found:
        yield _evidence(firewall, found)


def _evidence(firewall: Firewall, found: list[tuple[Service, Port]]) -> Evidence:
    service, port = found[0]
    denied = next((place for _, item in found if (place := firewall.denies(item.host_port))), None)
    place = firewall.start or denied or port.location
    names = listed((f"{item.host_port} of {owner.name}" for owner, item in found), limit=6)
    several = len(found) > 1
    bound = sorted({item.host_ip for _, item in found if published_ports.is_bound(item)})
    only = all(published_ports.is_bound(item) for _, item in found)
    reached = f"who reaches {listed(bound)} of the host." if only else "who reaches the host."
    return Evidence(
        f"{place.file} has ufw keep out {'ports' if several else 'port'} {names}, which Docker "
        f"publishes past ufw: {'they are' if several else 'it is'} open to everybody {reached}",
        place,
        subject="ufw",
        service=service.name,
        related=tuple(
            Related(
                item.location, f"publishes {item.host_port} on {published_ports.published_on(item)}", member=index > 0
            )
            for index, (_, item) in enumerate(found[:12])
        ),
        recommendation=f"Allow in ufw what {listed(bound, limit=2)} is to serve, and filter the rest in Docker's chain "
        "DOCKER-USER."
        if only
        else f"Publish {port.host_port} of {service.name}{' and the others' if several else ''} on "
        "127.0.0.1, or filter what Docker publishes in its chain DOCKER-USER.",
        severity=Severity.LOW if all(published_ports.is_on_private_address(item) for _, item in found) else None,
        example=compose_lines.filtered(port)
        if only
        else files.into(
            service.location.file,
            compose_lines.of_service(service, f"ports:\n  - {compose_lines.local_form(port)}"),
        ),
    )
