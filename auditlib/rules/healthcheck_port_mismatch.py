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

from auditlib.conventions import listening
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Healthcheck
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed

_ITSELF = ("localhost", "127.0.0.1", "0.0.0.0", "[::1]")  # noqa: S104 - we look for it in files


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe of a port that nothing names as the service's, where something names others."""
    for service in inventory.services:
        probe = service.healthcheck
        asked = _asked(probe) if probe and not probe.disabled else []
        known = listening.ports(inventory, service) if asked else frozenset()
        if probe and asked and not known & set(asked) and not any("-" in port or "$" in port for port in known):
            swapped = any(port.host_port == asked[0] for port in service.ports)
            if not swapped and not listening.of_program(inventory, service):
                continue
            yield Evidence(
                f"The health check of {service.name} asks port {asked[0]}, but "
                f"{'that is its port on the host; ' if swapped else ''}inside the container it listens on "
                f"{listed(sorted(known))} as far as the files say.",
                probe.test_location or probe.location,
                subject=f"{service.name}/{asked[0]}",
                service=service.name,
                recommendation=f"Probe port {sorted(known)[0]} of {service.name}.",
            )


def _asked(probe: Healthcheck) -> list[str]:
    """The ports of the service itself that the probe's URLs name."""
    ports = []
    for word in (word for command in probe.commands for word in command.words):
        scheme, found, rest = word.partition("://")
        authority = rest.partition("/")[0] if found and scheme in ("http", "https") else ""
        host, colon, port = authority.rpartition(":")
        if colon and host in _ITSELF and port.isdigit():
            ports.append(port)
    return ports
