"""A service that runs all the time has no health check.

Without a health check a container counts as fine as long as its process exists, also when it hangs, has lost its
database or answers every request with an error. Nothing can wait for it (`condition: service_healthy`), and nobody
sees in `docker compose ps` that it stopped working.

Anti-pattern:

    api:
      build: ./backend

Better:

    api:
      build: ./backend
      healthcheck:
        test: ["CMD", "curl", "-fsS", "http://127.0.0.1:8000/health"]
        interval: 15s
        timeout: 5s
        retries: 3

Recommendation:

    Add a `healthcheck` to each service named, or a `HEALTHCHECK` to its Dockerfile, that asks for what the service is
    for.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, healthchecks, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import counted, listed


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all of its services that no health check watches."""
    declared = list(services.declared(inventory))
    for project in inventory.projects:
        mine = [service for service in declared if service.project == project.name]
        awaited = {item.service for service in mine for item in service.dependencies if "completed" in item.condition}
        lasting = [item for item in mine if _is_lasting(inventory, item, item.name in awaited)]
        missing = [item for item in lasting if not healthchecks.of(inventory, item)]
        if missing:
            yield _evidence(inventory, project, lasting, missing)


def _is_lasting(inventory: Inventory, service: Service, awaited: bool) -> bool:
    found = services.product(inventory, service)
    aside = found is not None and found.kind in services.AUXILIARY
    return not aside and not services.is_one_shot(service, awaited)


def _evidence(inventory: Inventory, project: Project, lasting: list[Service], missing: list[Service]) -> Evidence:
    needed = {item.service for service in lasting for item in service.dependencies}
    certain = [item for item in missing if not healthchecks.may_be_in_image(inventory, item)]
    ordered = sorted(missing, key=lambda item: (item not in certain, item.name not in needed))
    doubt = "" if certain else ", unless the images bring their own"
    weak = all(environments.only_for_development(item) or services.is_watching(inventory, item) for item in missing)
    first = ordered[0]
    return Evidence(
        f"{len(missing)} of {counted(len(lasting), 'long-running service')} "
        f"{'has' if len(missing) == 1 else 'have'} no health check{doubt}: {listed(item.name for item in ordered)}.",
        first.location,
        subject=f"{project.name}/healthcheck",
        service=first.name,
        related=tuple(Related(item.location, _note(item, item in certain, needed)) for item in ordered[1:]),
        recommendation=f"Start with {first.name}: {_note(first, first in certain, needed)}; then the others.",
        severity=Severity.LOW if weak else None,
        confidence=None if certain else Confidence.MEDIUM,
    )


def _note(service: Service, certain: bool, needed: set[str]) -> str:
    state = f"{service.name} has no health check"
    if service.healthcheck is not None:
        state = f"{service.name}'s health check is switched off"
    return f"{state}{'' if certain else ' here'}{', and other services depend on it' if service.name in needed else ''}"
