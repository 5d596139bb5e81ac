"""Where a repository leaves out a part of an item of the checklist, whether or not a rule finds fault with it."""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, healthchecks, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Related


def unchecked(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The services that run all the time, and whose health the repository doesn't check."""
    for service in inventory.distinct_services:
        passing = services.is_one_shot(service) or environments.only_for_development(service)
        if not passing and healthchecks.of(inventory, service) is None:
            yield Related(service.location, f"The repository shows no health check of {service.name}")


def early_starts(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The waits that end when the other service has started, whether or not it can do its work by then."""
    for service in inventory.distinct_services:
        for needed in service.dependencies:
            if not needed.implicit and needed.condition == "service_started":
                yield Related(needed.location, f"{service.name} waits only for the start of {needed.service}")
