"""A query asks for a metric by a name that its exporter gave up.

Version 0.16 of the node exporter renamed most of its metrics to carry their units, and Micrometer, which Spring Boot
uses, has other names than Prometheus' own client for Java. Other names are in many examples, though no release ever had
them. A rule or panel of such an example finds nothing: the alert never fires and the panel stays empty.

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

from auditlib.conventions import exporters, images, monitoring, spring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
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
    **{f"hikari_connections{end}": f"hikaricp_connections{end}"
       for end in ("", "_active", "_idle", "_max", "_min", "_pending", "_timeout_total")},
}  # fmt: skip
"""The names of Prometheus' own client for Java before version 1, and such as never were, with those of Micrometer."""
_OF_EXPORTERS = {
    "cAdvisor": {"container_restart_count": "container_start_time_seconds"},
    "MySQL exporter": {
        "mysql_slave_lag_seconds": "mysql_slave_status_seconds_behind_master",
        "mysql_connections": "mysql_global_status_threads_connected",
        "mysql_slow_queries": "mysql_global_status_slow_queries",
    },
    "Redis exporter": {
        "redis_list_length": "redis_key_size",
        "redis_memory_used": "redis_memory_used_bytes",
        "redis_memory_max": "redis_memory_max_bytes",
    },
}
"""Names that no release of an exporter had, with those that it has (https://github.com/oliver006/redis_exporter,
https://github.com/prometheus/mysqld_exporter)."""
_FAMILIES = ("hikari_connections",)
_NEEDS = {
    "container_restart_count": ", and count its changes: restarts aren't counted",
    "mysql_slow_queries": " inside `increase(…[5m])`, as it counts since the server's start",
    "redis_list_length": ", and name the keys in the exporter's `--check-single-keys`",
}
"""What a name needs besides."""
_ASKED = {"mysql_global_status_slow_queries": "increase(mysql_global_status_slow_queries[5m])"}
"""How one of the new names is asked for."""
_DIFFERENT = frozenset({"container_restart_count"})
"""Metrics in whose place another one has to be asked in another way."""
_CHANGED = ("container_restart_count", "mysql_slow_queries", "node_disk_io_time_ms", "jvm_gc_", "redis_list_length")
"""Metrics whose unit or labels changed with their names, so that a query needs more than the name."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each file of rules and each dashboard the former names, where what runs has others."""
    running = [item for item in inventory.distinct_services if _is_exporter(item)]
    if running and not any(_is_early(item) for item in running):
        place = Related(running[0].image_location, "the exporter that runs")
        yield from _former(inventory, _RENAMED, running[0].image, place, None)
    for (name, asking), target in _scraped(inventory).items():
        called = f"the {name}" if name.islower() or " " in name else name
        place = Related(target, f"the job {asking} asks {called}")
        yield from _former(inventory, _OF_EXPORTERS[name], called, place, None)
    job = spring.scraped_by(inventory)
    others = any("jmx" in f"{item.image} {' '.join(item.command)}".lower() for item in inventory.services)
    if job and not others:
        place = Related(job.location, f"the job {job.name} asks Spring Boot's Actuator")
        yield from _former(inventory, _OF_MICROMETER, "Micrometer", place, Confidence.MEDIUM)


def _scraped(inventory: Inventory) -> dict[tuple[str, str], Location]:
    """The exporters of which such names are known that a job scrapes, with the first job of each."""
    found: dict[str, tuple[str, Location]] = {}
    for job in inventory.scrape_jobs:
        for target in job.targets:
            known = exporters.of_host(target.host, target.port)
            if known and known.name in _OF_EXPORTERS:
                found.setdefault(known.name, (job.name, target.location))
    return {(name, job): place for name, (job, place) in found.items()}


def _former(
    inventory: Inventory, names: dict[str, str], who: str, source: Related, confidence: Confidence | None
) -> Iterator[Evidence]:
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    found: defaultdict[tuple[str, str], dict[Location, str]] = defaultdict(dict)
    for item in monitoring.asking(inventory):
        for metric in item.query.metrics:
            if metric in names and metric not in recorded:
                found[item.location.file, metric].setdefault(item.location, item.called)
    for gathered in _gathered(found):
        yield _evidence(gathered, names, who, source, confidence)


def _gathered(found: dict[tuple[str, str], dict[Location, str]]) -> list[dict[str, dict[Location, str]]]:
    """The places of each name of a file; those of a family that is called otherwise as a whole, as one."""
    groups: defaultdict[tuple[str, str], dict[str, dict[Location, str]]] = defaultdict(dict)
    for (file, metric), places in found.items():
        family = next((item for item in _FAMILIES if metric.startswith(item)), metric)
        groups[file, family][metric] = places
    return list(groups.values())


def _is_exporter(service: Service) -> bool:
    return service.build is None and images.repository(service.image).endswith("node-exporter")


def _is_early(service: Service) -> bool:
    """Whether an exporter is older than 0.16, or may be."""
    version = re.match(r"v?(\d+)\.(\d+)", images.tag(service.image))
    if version is None:
        return images.tag(service.image) not in ("", "latest", "master", "main")
    return (int(version[1]), int(version[2])) < (0, 16)


def _evidence(
    found: dict[str, dict[Location, str]],
    names: dict[str, str],
    who: str,
    source: Related,
    confidence: Confidence | None,
) -> Evidence:
    metric, *more = found
    new = names[metric]
    places = {place: asking for group in found.values() for place, asking in group.items()}
    (first, asking), *others = places.items()
    if more:
        return Evidence(
            f"{_askers(places)} for {listed(found)}, which {who} calls {listed(names[item] for item in found)}: "
            "nothing is found.",
            first,
            subject=next(item for item in _FAMILIES if metric.startswith(item)),
            related=(*(Related(place, f"{other} does too", member=True) for place, other in others), source),
            recommendation=f"Write {listed((names[item] for item in found), limit=2)} in their place.",
            confidence=confidence,
            example=files.into(first.file, "\n".join(f"{names[item]}   # in place of {item}" for item in found)),
        )
    told = (
        f"which {who} doesn't have, and {new} tells by its changes"
        if metric in _DIFFERENT
        else f"which {who} calls {new}"
    )
    return Evidence(
        f"{asking} asks for {metric}, {told}: it finds nothing.",
        first,
        subject=metric,
        related=(*(Related(place, f"{other} does too", member=True) for place, other in others), source),
        recommendation=f"Write {new} in place of {metric}{_NEEDS.get(metric, '')}.",
        confidence=confidence,
        change=("", "") if metric.startswith(_CHANGED) else (metric, new),
        example=files.into(first.file, _ASKED.get(new, new)) if metric.startswith(_CHANGED) else "",
    )


def _askers(places: dict[Location, str]) -> str:
    who = dict.fromkeys(places.values())
    return f"{listed(who)} {'asks' if len(who) == 1 else 'ask'}"
