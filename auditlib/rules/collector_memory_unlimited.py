"""A collector takes all that it is sent into memory, without a limit.

While the backend is slow or away, the collector holds what it couldn't send. Without `memory_limiter` nothing refuses
more: the container grows until the kernel ends it, with all that it held, or until others on the host have no memory.

Anti-pattern:

    processors:
      batch:
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}

Better:

    processors:
      memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}
      batch:
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}

Recommendation:

    Put `memory_limiter` first into each pipeline, and give the container a limit of memory.

References:

- https://github.com/open-telemetry/opentelemetry-collector/tree/main/processor/memorylimiterprocessor
- https://opentelemetry.io/docs/collector/internal-telemetry/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.telemetry import CollectorPart
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COLLECTOR = regex(r"otel|opentelemetry|collector")
_LIMITS = frozenset({"memory_limiter", "memory_ballast"})
_TAKES = frozenset({"otlp", "jaeger", "zipkin", "opencensus", "kafka", "fluentforward", "prometheusremotewrite"})
"""Receivers that others send to, as much as they like."""
_LINES = """processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}
service:
  pipelines:
    <each pipeline>: {processors: [memory_limiter, <those so far>]}"""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration of one collector that takes what others send and sets up no limit of its memory."""
    found: defaultdict[str, list[CollectorPart]] = defaultdict(list)
    for part in inventory.collector_parts:
        found[part.location.file].append(part)
    for file, parts in found.items():
        taking = [item for item in parts if item.section == "receivers" and item.kind in _TAKES]
        if (
            not taking
            or any(item.kind in _LIMITS for item in parts)
            or monitoring.is_template(file)
            or environments.is_aside(file)
        ):
            continue
        running = [item for item in monitoring.runners(inventory, file) if _is_alone(inventory, item, file)]
        if running:
            yield _evidence(file, taking[0], running)


def _is_alone(inventory: Inventory, service: Service, file: str) -> bool:
    """Whether a collector reads this one configuration, and runs in operation."""
    others = {item.location.file for item in inventory.collector_parts} - {file}
    merged = any(service in monitoring.runners(inventory, other) for other in others)
    limited = any(entry.name == "GOMEMLIMIT" for entry in service.environment)
    aside = environments.is_for_developers(inventory, service)
    return bool(_COLLECTOR.search(f"{service.image} {service.name}")) and not (merged or limited or aside)


def _evidence(file: str, taking: CollectorPart, running: list[Service]) -> Evidence:
    first = running[0]
    limited = "the kernel ends it at its container's limit"
    end = limited if first.memory_limit else "it grows until the host has none left"
    return Evidence(
        f"{file} takes what others send by `{taking.kind}`, and sets up no `memory_limiter`: while {first.name} can't "
        f"pass it on, {end}.",
        taking.location,
        subject=f"{file}/memory_limiter",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} reads it") for item in running),
        recommendation=f"Put `memory_limiter` first into each pipeline of {file}.",
        example=files.into(file, _LINES),
    )
