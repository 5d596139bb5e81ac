"""A query asks for a metric by a name that its exporter gave up.

Version 0.16 of the node exporter renamed most of its metrics to carry their units, and Micrometer, which Spring Boot
uses, has other names than Prometheus' own client for Java. A rule or panel of another example finds nothing: the alert
never fires and the panel stays empty.

Anti-pattern:

    expr: 100 - avg(rate(node_cpu{mode="idle"}[5m])) * 100 > 80

Better:

    expr: 100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100 > 80

Recommendation:

    Use the present name.

References:

- https://github.com/prometheus/node_exporter/blob/master/CHANGELOG.md#0160--2018-05-15
- https://docs.micrometer.io/micrometer/reference/reference/jvm.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import images, monitoring, spring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BYTES = (
    "Active", "Buffers", "Cached", "Inactive", "MemAvailable", "MemFree", "MemTotal", "Slab", "SwapCached", "SwapFree",
    "SwapTotal",
)  # fmt: skip
_COUNTED = ("bytes", "drop", "errs", "packets")
_RENAMED = {
    "node_cpu": "node_cpu_seconds_total",
    "node_boot_time": "node_boot_time_seconds",
    "node_time": "node_time_seconds",
    "node_context_switches": "node_context_switches_total",
    "node_intr": "node_intr_total",
    "node_forks": "node_forks_total",
    "node_disk_bytes_read": "node_disk_read_bytes_total",
    "node_disk_bytes_written": "node_disk_written_bytes_total",
    "node_disk_io_time_ms": "node_disk_io_time_seconds_total",
    "node_disk_reads_completed": "node_disk_reads_completed_total",
    "node_disk_writes_completed": "node_disk_writes_completed_total",
    **{f"node_memory_{name}": f"node_memory_{name}_bytes" for name in _BYTES},
    **{f"node_filesystem_{name}": f"node_filesystem_{name}_bytes" for name in ("avail", "free", "size")},
    **{
        f"node_network_{way}_{name}": f"node_network_{way}_{name}_total"
        for way in ("receive", "transmit")
        for name in _COUNTED
    },
}
"""The names before version 0.16 of the node exporter, with those since."""
_OF_MICROMETER = {
    "jvm_memory_bytes_used": "jvm_memory_used_bytes",
    "jvm_memory_bytes_max": "jvm_memory_max_bytes",
    "jvm_memory_bytes_committed": "jvm_memory_committed_bytes",
    "jvm_threads_current": "jvm_threads_live_threads",
    "jvm_threads_daemon": "jvm_threads_daemon_threads",
    "jvm_threads_peak": "jvm_threads_peak_threads",
    "jvm_gc_collection_seconds_sum": "jvm_gc_pause_seconds_sum",
    "jvm_gc_collection_seconds_count": "jvm_gc_pause_seconds_count",
    "jvm_classes_loaded": "jvm_classes_loaded_classes",
}
"""The names of Prometheus' own client for Java before version 1, with those of Micrometer."""
_CHANGED = ("node_disk_io_time_ms", "jvm_gc_")
"""Metrics whose unit or labels changed with their names, so that a query needs more than the name."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each file of rules and each dashboard the former names, where what runs has others."""
    exporters = [item for item in inventory.distinct_services if _is_exporter(item)]
    if exporters and not any(_is_early(item) for item in exporters):
        place = Related(exporters[0].image_location, "the exporter that runs")
        yield from _former(inventory, _RENAMED, exporters[0].image, place, None)
    job = spring.scraped_by(inventory)
    others = any("jmx" in f"{item.image} {' '.join(item.command)}".lower() for item in inventory.services)
    if job and not others:
        place = Related(job.location, f"the job {job.name} asks Spring Boot's Actuator")
        yield from _former(inventory, _OF_MICROMETER, "Micrometer", place, Confidence.MEDIUM)


def _former(
    inventory: Inventory, names: dict[str, str], who: str, source: Related, confidence: Confidence | None
) -> Iterator[Evidence]:
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    found: defaultdict[tuple[str, str], dict[Location, str]] = defaultdict(dict)
    for item in monitoring.asking(inventory):
        for metric in item.query.metrics:
            if metric in names and metric not in recorded:
                found[item.location.file, metric].setdefault(item.location, item.called)
    for (_, metric), places in found.items():
        yield _evidence(metric, names[metric], places, who, source, confidence)


def _is_exporter(service: Service) -> bool:
    return service.build is None and images.repository(service.image).endswith("node-exporter")


def _is_early(service: Service) -> bool:
    """Whether an exporter is older than 0.16, or may be."""
    version = re.match(r"v?(\d+)\.(\d+)", images.tag(service.image))
    if version is None:
        return images.tag(service.image) not in ("", "latest", "master", "main")
    return (int(version[1]), int(version[2])) < (0, 16)


def _evidence(
    metric: str, new: str, places: dict[Location, str], who: str, source: Related, confidence: Confidence | None
) -> Evidence:
    (first, asking), *others = places.items()
    return Evidence(
        f"{asking} asks for {metric}, which {who} calls {new}: it finds nothing.",
        first,
        subject=metric,
        related=(*(Related(place, f"{other} does too", member=True) for place, other in others), source),
        recommendation=f"Write {new} in place of {metric}.",
        confidence=confidence,
        change=("", "") if metric.startswith(_CHANGED) else (metric, new),
        example=files.into(first.file, new) if metric.startswith(_CHANGED) else "",
    )
