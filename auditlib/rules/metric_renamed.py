"""A query asks for a metric by a name that its exporter gave up.

Version 0.16 of the node exporter renamed most of its metrics to carry their units. A rule or panel of an older example
finds nothing: the alert never fires and the panel stays empty.

Anti-pattern:

    expr: 100 - avg(rate(node_cpu{mode="idle"}[5m])) * 100 > 80

Better:

    expr: 100 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100 > 80

Recommendation:

    Use the present name.

References:

- https://github.com/prometheus/node_exporter/blob/master/CHANGELOG.md#0160--2018-05-15
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
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


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each file of rules and each dashboard the former names, where the exporter that runs is a later one."""
    exporters = [item for item in inventory.distinct_services if _is_exporter(item)]
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    if not exporters or any(_is_early(item) for item in exporters):
        return
    found: defaultdict[tuple[str, str], dict[Location, str]] = defaultdict(dict)
    for place, who, metrics in _asked(inventory):
        for metric in metrics:
            if metric in _RENAMED and metric not in recorded:
                found[place.file, metric].setdefault(place, who)
    for (_, metric), places in found.items():
        yield _evidence(metric, places, exporters[0])


def _is_exporter(service: Service) -> bool:
    return service.build is None and images.repository(service.image).endswith("node-exporter")


def _is_early(service: Service) -> bool:
    """Whether an exporter is older than 0.16, or may be."""
    version = re.match(r"v?(\d+)\.(\d+)", images.tag(service.image))
    if version is None:
        return images.tag(service.image) not in ("", "latest", "master", "main")
    return (int(version[1]), int(version[2])) < (0, 16)


def _asked(inventory: Inventory) -> Iterator[tuple[Location, str, tuple[str, ...]]]:
    for item in inventory.alert_rules:
        yield item.expression_location, item.name, item.query.metrics
    for dashboard in inventory.dashboards:
        for panel in dashboard.panels:
            for query in panel.queries:
                yield query.location or panel.location, f"the panel {panel.title}", query.metrics


def _evidence(metric: str, places: dict[Location, str], exporter: Service) -> Evidence:
    (first, who), *others = places.items()
    new = _RENAMED[metric]
    return Evidence(
        f"{who} asks for {metric}, which {exporter.image} calls {new}: it finds nothing.",
        first,
        subject=metric,
        related=(
            *(Related(place, f"{other} does too", member=True) for place, other in others),
            Related(exporter.image_location, "the exporter that runs"),
        ),
        recommendation=f"Write {new} in place of {metric}.",
    )
