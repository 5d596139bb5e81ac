"""Jaeger keeps traces in memory, without a limit.

The image that holds all of Jaeger keeps what it gets in the memory of its process, and no option says how much of it.
It grows until the host or its limit has no memory left, takes other containers with it on a host without limits, and
comes back with no trace at all.

Anti-pattern:

    jaeger:
      image: jaegertracing/all-in-one:1.60

Better:

    jaeger:
      image: jaegertracing/all-in-one:1.60
      environment: {MEMORY_MAX_TRACES: "50000"}

Recommendation:

    Set MEMORY_MAX_TRACES, or give Jaeger a store on disk (SPAN_STORAGE_TYPE), and sample.

References:

- https://www.jaegertracing.io/docs/1.62/deployment/#memory
- https://www.jaegertracing.io/docs/1.62/cli/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_IMAGE = "jaegertracing/all-in-one"
_LIMITS = ("memory.max-traces", "config", "span-storage")
_VARIABLES = frozenset({"MEMORY_MAX_TRACES", "SPAN_STORAGE_TYPE", "SPAN_STORAGE"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service on the image that holds all of Jaeger, with neither a limit nor another store."""
    for service in inventory.distinct_services:
        whole = images.repository(service.image) == _IMAGE and not service.build
        if whole and not _is_bounded(service) and not environments.only_for_development(service):
            yield _evidence(service)


def _is_bounded(service: Service) -> bool:
    given = {entry.name: entry.value.text if entry.value else "" for entry in service.environment}
    told = [name for name in _VARIABLES if given.get(name, "memory") not in ("memory", "badger-ephemeral", "0")]
    words = " ".join((*service.command, *service.entrypoint))
    return bool(told or service.env_files or any(limit in words for limit in _LIMITS))


def _evidence(service: Service) -> Evidence:
    until = "its limit is reached" if service.memory_limit else "the host has none left"
    return Evidence(
        f"{service.name} keeps all traces in memory and nothing says how many: it grows until {until}, and a restart "
        "loses them.",
        service.image_location,
        subject=service.name,
        service=service.name,
        recommendation=f"Set MEMORY_MAX_TRACES of {service.name}, or give it a store on disk.",
        example=compose_lines.of_service(service, 'environment:\n  MEMORY_MAX_TRACES: "50000"'),
    )
