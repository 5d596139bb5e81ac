"""A service waits until another one is healthy, which has no health check.

`condition: service_healthy` needs a health check to ask. Without one Compose stops with "container has no healthcheck
configured", and the service that waits never starts.

Anti-pattern:

    db:
      image: postgres:16
    api:
      depends_on:
        db:
          condition: service_healthy

Better:

    db:
      image: postgres:16
      healthcheck:
        test: ["CMD-SHELL", "pg_isready -U app"]
    api:
      depends_on:
        db:
          condition: service_healthy

Recommendation:

    Add a `healthcheck` to the service that is waited for.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import healthchecks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Dependency, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _probe_lines as probe_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service without a check that others want healthy; an image that may bring one is left alone."""
    for project in inventory.projects:
        scope = inventory.services_of(project.name)
        waiting: dict[str, list[tuple[Service, Dependency]]] = {}
        for service in scope.values():
            for item in service.dependencies:
                if item.service in scope and item.condition == "service_healthy" and item.required:
                    waiting.setdefault(item.service, []).append((service, item))
        for name, pairs in waiting.items():
            unknown = healthchecks.may_be_in_image(inventory, scope[name])
            if not unknown and not healthchecks.is_checked(inventory, scope[name]):
                yield _evidence(inventory, scope[name], pairs)


def _evidence(inventory: Inventory, target: Service, waiting: list[tuple[Service, Dependency]]) -> Evidence:
    names = listed(service.name for service, _ in waiting)
    (service, first), *others = waiting
    off = target.healthcheck is not None
    return Evidence(
        f"{names} {'waits' if not others else 'wait'} until {target.name} is healthy, but its health check is "
        f"{'switched off' if off else 'missing'}: Compose gives up with an error.",
        first.location,
        subject=target.name,
        service=service.name,
        related=(
            *(Related(item.location, f"{other.name} waits for {target.name}", member=True) for other, item in others),
            Related(target.location, f"{target.name} has no health check"),
        ),
        recommendation=f"Add a `healthcheck` to {target.name}.",
        example=compose_lines.of_service(target, probe_lines.certain(inventory, target))
        or probe_lines.draft(inventory, target),
    )
