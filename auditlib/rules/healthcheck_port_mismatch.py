"""A health check asks a port that its service does not listen on.

The probe runs inside the container, where the ports are those of the program, not those published on the host. A probe
of the wrong port fails each time, and everything that waits for the service never starts.

Anti-pattern:

    api:
      command: uvicorn app:app --port 8000
      ports: ["9000:8000"]
      healthcheck:
        test: ["CMD", "curl", "-f", "http://localhost:9000/health"]

Better:

    api:
      command: uvicorn app:app --port 8000
      ports: ["9000:8000"]
      healthcheck:
        test: ["CMD", "curl", "-f", "http://localhost:8000/health"]

Recommendation:

    Probe the port that the program listens on inside the container.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import listening, probes
from auditlib.conventions.probes import Probe
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe of a port that nothing names as the service's, where something names others."""
    for service in inventory.services:
        probe = probes.of(inventory, service)
        asked = probes.ports(probe) if probe else []
        known = listening.ports(inventory, service) if asked else frozenset()
        if probe and asked and not known & set(asked) and not any("-" in port or "$" in port for port in known):
            swapped = any(port.host_port == asked[0] for port in service.ports)
            if swapped or listening.of_program(inventory, service):
                yield _evidence(service, probe, asked[0], sorted(known), swapped=swapped)


def _evidence(service: Service, probe: Probe, asked: str, known: list[str], *, swapped: bool) -> Evidence:
    return Evidence(
        f"The health check of {service.name} asks port {asked}, but "
        f"{'that is its port on the host; ' if swapped else ''}inside the container it listens on "
        f"{listed(known)} as far as the files say.",
        probe.location,
        subject=f"{service.name}/{asked}",
        service=service.name,
        recommendation=f"Probe port {known[0]} of {service.name}.",
    )
