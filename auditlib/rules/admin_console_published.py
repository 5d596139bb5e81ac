"""An administration console is a part of the stack and published to other hosts.

Whoever reaches the port stands before the login of the database or the broker, and a fault of the console is a way in.
It starts with everything else, though somebody needs it once a month.

Anti-pattern:

    adminer:
      image: adminer:4.8.1
      ports: ["8080:8080"]

Better:

    adminer:
      image: adminer:4.8.1
      profiles: [tools]
      ports: ["127.0.0.1:8080:8080"]

Recommendation:

    Put the console behind a profile, and publish it on 127.0.0.1.

References:

- https://docs.docker.com/compose/how-tos/profiles/
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import consoles, environments, networks, published_ports
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_SITES = frozenset({"80", "443"})
"""Ports of the sites that a proxy with a console serves, and of consoles that are sites themselves."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for its consoles with a login that start by themselves and can be reached."""
    found: dict[str, list[tuple[Service, Port]]] = {}
    for service in inventory.distinct_services:
        ports = published_ports.public_ports(service)
        if ports and not service.profiles and _is_closed_console(inventory, service):
            mine = [port for port in ports if port.protocol != "udp" and port.target not in _SITES]
            found.setdefault(ports[0].location.file, []).extend((service, port) for port in mine or ports[:1])
    for file, published in found.items():
        if not environments.is_for_development(file):
            yield _evidence(file, published)


def _is_closed_console(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a console with a login; what lets anybody in is a worse fault, and another rule's."""
    console = consoles.is_console(inventory, service) and not networks.closed_around(inventory, service)
    return console and not consoles.is_open(inventory, service)


def _evidence(file: str, published: list[tuple[Service, Port]]) -> Evidence:
    (first, port), *others = published
    ends: defaultdict[str, list[Port]] = defaultdict(list)
    for item, end in published:
        ends[item.name].append(end)
    names = listed(f"{name} ({listed(end.host_port or end.target for end in mine)})" for name, mine in ends.items())
    several = len(ends) > 1
    local = "on the loopback address" if several else f"as {listed(map(compose_lines.local_form, ends[first.name]))}"
    starts = "starts with everything else and can be" if len(ends) == 1 else "start with everything else and can be"
    return Evidence(
        f"{names} {starts} reached from other hosts: only "
        f"{'their passwords keep' if len(ends) > 1 else 'its password keeps'} anybody out.",
        port.location,
        subject=f"{file}/console",
        service=first.name,
        related=tuple(
            Related(
                end.location,
                f"{item.name} is published too",
                member=True,
                change=compose_lines.on_loopback(end),
            )
            for item, end in others
        ),
        recommendation=f"Give {listed(ends, limit=3)} a profile, and publish {'them' if several else 'it'} {local}.",
        change=compose_lines.on_loopback(port),
        example="\n".join(compose_lines.of_name(name, "profiles: [tools]") for name in ends),
    )
