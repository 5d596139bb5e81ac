"""An administration console can be reached from other hosts without a login.

A console for a database or a broker shows and changes everything that is in there. Several have no login unless they
are told to, and some are told here to leave it out. A port that Docker publishes passes the host's firewall.

Anti-pattern:

    redis-commander:
      image: ghcr.io/joeferner/redis-commander:0.8
      environment: {REDIS_HOSTS: "local:cache:6379"}
      ports: ["8081:8081"]

Better:

    redis-commander:
      image: ghcr.io/joeferner/redis-commander:0.8
      environment:
        REDIS_HOSTS: local:cache:6379
        HTTP_USER: ${CONSOLE_USER:?}
        HTTP_PASSWORD: ${CONSOLE_PASSWORD:?}
      ports: ["127.0.0.1:8081:8081"]

Recommendation:

    Publish the console on 127.0.0.1 and reach it through SSH, and give it a login where it has one.

References:

- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://www.pgadmin.org/docs/pgadmin4/latest/container_deployment.html
- https://flower.readthedocs.io/en/latest/auth.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import consoles, environments, published_ports
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMED = 3


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project with all consoles that others reach without a login."""
    seen: set[Location] = set()  # an overlay shows the ports of its base again
    for project in inventory.projects:
        mine = (item for item in inventory.services_of(project.name).values() if item.project == project.name)
        found = [
            (service, port)
            for service in mine
            for port in published_ports.public_ports(service)[:1]
            if port.location not in seen and consoles.is_open(inventory, service)
        ]
        seen.update(port.location for _, port in found)
        if found:
            yield _evidence(project, found)


def _evidence(project: Project, found: list[tuple[Service, Port]]) -> Evidence:
    first, port = found[0]
    return Evidence(
        f"{listed(f'{item.name} ({end.host_port or end.target})' for item, end in found)} can be reached from other "
        f"hosts, and {'ask' if len(found) > 1 else 'asks'} for no login.",
        port.location,
        subject=f"{project.name}/open-console",
        service=first.name,
        related=tuple(
            Related(end.location, f"{item.name} is published too", member=True, change=compose_lines.on_loopback(end))
            for item, end in found[1:]
        ),
        recommendation=f"Publish {listed(_forms(found), limit=_NAMED)}, and give {'it' if len(found) == 1 else 'each'} "
        "a login if it has one.",
        severity=Severity.LOW if environments.is_for_development(port.location.file) else None,
        change=compose_lines.on_loopback(port),
    )


def _forms(found: list[tuple[Service, Port]]) -> list[str]:
    """The consoles with the form in which the host alone reaches them."""
    return [f"{item.name} as {compose_lines.local_form(end)}" for item, end in found]
