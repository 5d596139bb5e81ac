"""What watches starts only once what it watches is healthy.

`condition: service_healthy` keeps Compose from starting Prometheus while the application fails its health check. After
a release that doesn't come up, or on a new host, there is then neither the application nor anything that tells so.
Prometheus and Alertmanager need none of their targets: they ask again.

Anti-pattern:

    prometheus:
      image: prom/prometheus:v3.1.0
      depends_on:
        api: {condition: service_healthy}

Better:

    prometheus:
      image: prom/prometheus:v3.1.0

Recommendation:

    Start Prometheus and Alertmanager without waiting for what they watch, or tell.

References:

- https://docs.docker.com/compose/how-tos/startup-order/
- https://prometheus.io/docs/practices/alerting/#metamonitoring
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import environments, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Dependency, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_WATCHES = frozenset({"Prometheus", "Alertmanager"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Prometheus that waits for its own targets, and each Alertmanager that waits for its own receivers."""
    for service in inventory.distinct_services:
        found = services.product(inventory, service) if service.dependencies else None
        if found is None or found.name not in _WATCHES or environments.is_for_developers(inventory, service):
            continue
        asked = _scraped(inventory, graph, service) if found.name == "Prometheus" else _told(inventory, graph, service)
        waits = [item for item in service.dependencies if item.condition == "service_healthy" and not item.implicit]
        known = inventory.services_of(service.project)
        held = [item for item in waits if (other := known.get(item.service)) and other.key in asked
                and not services.is_watching(inventory, other)]  # fmt: skip
        if held:
            yield _evidence(service, held, tells=found.name == "Alertmanager")


def _scraped(inventory: Inventory, graph: DependencyGraph, service: Service) -> set[str]:
    """The keys of the services that a Prometheus scrapes."""
    configs = [item for item in inventory.prometheus if service in monitoring.runners(inventory, item.file)]
    return set(scraping.watched(inventory, graph, monitoring.jobs(inventory, configs))) if configs else set()


def _told(inventory: Inventory, graph: DependencyGraph, service: Service) -> set[str]:
    """The keys of the services that an Alertmanager sends its notifications to."""
    hosts = {
        (item.host, receiver.file)
        for receiver in inventory.receivers
        if service in monitoring.runners(inventory, receiver.file)
        for item in receiver.integrations
        if item.host
    }
    found = (scraping.service_named(inventory, graph, host, near=file) for host, file in hosts)
    return {item.key for item in found if item}


def _evidence(service: Service, held: list[Dependency], *, tells: bool) -> Evidence:
    names = listed(item.service for item in held)
    is_ = "is" if len(held) == 1 else "are"
    effect = "what fires meanwhile reaches nobody" if tells else "while that fails, nothing alerts on it"
    return Evidence(
        f"{service.name} doesn't start before {names} {is_} healthy, which it {'notifies' if tells else 'watches'}: "
        f"{effect}.",
        held[0].location,
        subject=f"{service.name}/waits",
        service=service.name,
        related=tuple(Related(item.location, f"waits for {item.service} too", member=True) for item in held[1:]),
        recommendation=f"Take {names} from the `depends_on` of {service.name}, or wait for `service_started` alone.",
        example=compose_lines.of_service(
            service,
            "depends_on:" + "".join(f"\n  {item.service}: {{condition: service_started}}" for item in held),
        ),
    )
