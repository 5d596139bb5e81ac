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

from auditlib.conventions import listening, probes, services, traefik
from auditlib.conventions.probes import Probe
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe of a port that nothing names as the service's, where something names others."""
    told: set[tuple[Location, str]] = set()  # several services may be built with the HEALTHCHECK of one Dockerfile
    for service in probes.by_own_command(inventory.services):
        probe = probes.to_the_end(inventory, service)
        routed = {label.port for label in traefik.ports_of(service)}
        asked = probes.ports(probe) if probe else []
        paths = probes.paths(probe) if probe else []
        found = (
            listening.of_actuator(service, asked, paths)
            or listening.mismatch(inventory, service, asked, routed)
            or listening.of_twin(inventory, service, asked)
            or listening.of_variable(inventory, service, asked, paths)
        )
        if probe and found and (probe.location, found.asked) not in told:
            told.add((probe.location, found.asked))
            guessed = not found.swapped and not found.part and _is_exposed_only(inventory, service)
            yield Evidence(
                f"The health check of {service.name} asks port {found.asked}, but {found}"
                f"{', unless its code has another one for this' if guessed else ''}.",
                probe.location,
                subject=f"{service.name}/{found.asked}",
                service=service.name,
                confidence=Confidence.LOW if guessed else None,
                recommendation=f"Probe port {found.known[0]} of {service.name}.",
                change=(found.asked, found.known[0]) if len(found.known) == 1 else ("", ""),
                example=files.into(
                    probe.location.file,
                    _asked(found.known[0] if len(found.known) == 1 else _one_of(found.known), probe),
                ),
            )


def _is_exposed_only(inventory: Inventory, service: Service) -> bool:
    """Whether nothing but the image of a built service says where it listens, so that its code may listen twice: no
    command, and no variable beside what is published.
    """
    words = [word for item in services.commands(inventory, service) for word in item.words]
    told = {item.target for item in service.ports} & set(listening.by_variable(service).values())
    return service.build is not None and not told and not listening.in_command(tuple(words))


def _asked(port: str, probe: Probe) -> str:
    """The same question at another port."""
    paths = probes.paths(probe) or ["/"]
    is_web = any("://" in word for command in probe.commands for word in command.words)
    return f"http://127.0.0.1:{port}{paths[0]}" if is_web else f"<the same question at port {port}>"


def _one_of(ports: tuple[str, ...]) -> str:
    return f"<one of {listed(ports)}>"
