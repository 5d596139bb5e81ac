"""A collector prints what it passes on.

The `debug` exporter is there to look for a fault. Beside an exporter that does the work it writes to the container's
log about each batch, with `verbosity: detailed` each span and each record with all of its attributes: log and disk grow
with the traffic, and what applications put into attributes stands in the log.

Anti-pattern:

    service:
      pipelines:
        traces: {receivers: [otlp], exporters: [otlp, debug]}

Better:

    service:
      pipelines:
        traces: {receivers: [otlp], exporters: [otlp]}

Recommendation:

    Take `debug` from the pipelines.

References:

- https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/debugexporter
- https://opentelemetry.io/docs/collector/troubleshooting/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.telemetry import CollectorPart
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PRINTS = frozenset({"debug", "logging"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each printing exporter that a pipeline names, where another exporter does the work of the file."""
    idle = {item.location for item in inventory.idle_stages}
    used = [item for item in inventory.collector_parts if item.section == "exporters" and item.location not in idle]
    for part in used:
        file = part.location.file
        works = any(item.location.file == file and item.kind not in _PRINTS for item in used)
        if part.kind in _PRINTS and works and not (monitoring.is_template(file) or environments.is_aside(file)):
            running = [item for item in monitoring.runners(inventory, file)
                       if not environments.is_for_developers(inventory, item)]  # fmt: skip
            if running:
                yield _evidence(part, running)


def _evidence(part: CollectorPart, running: list[Service]) -> Evidence:
    file = part.location.file
    return Evidence(
        f"{running[0].name} prints what it passes on: {file} has the exporter `{part.kind}` in a pipeline, beside "
        "those that send it on, so that its log grows with the traffic.",
        part.location,
        subject=f"{file}/{part.kind}",
        service=running[0].name,
        related=tuple(Related(item.location, f"{item.name} reads it") for item in running),
        recommendation=f"Take `{part.kind}` from the pipelines of {file}.",
        example=files.into(file, "service:\n  pipelines:\n    <each pipeline>: {exporters: [<those that send it on>]}"),
    )
