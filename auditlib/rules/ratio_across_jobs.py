"""A ratio divides metrics of two jobs, whose labels are never equal.

Series match by all their labels, and `job` and `instance` differ from target to target. A division of what one exporter
gives by what another gives has no result, so that an alert on it never fires and a panel stays empty.

Anti-pattern:

    expr: container_memory_usage_bytes{name="api"} / node_memory_MemTotal_bytes > 0.8

Better:

    expr: container_memory_usage_bytes{name="api"} / on() group_left() node_memory_MemTotal_bytes > 0.8

Recommendation:

    Say by which labels the sides match (`on (…) group_left`), or sum both sides.

References:

- https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
- https://prometheus.io/docs/concepts/jobs_instances/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import exporters, monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Ratio
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_EVERYWHERE = regex(
    r"(?:go|promhttp|scrape|python)_.*|up|process_(?:cpu_seconds_total|(?:open|max)_fds|start_time_seconds|"
    r"(?:resident|virtual)_memory(?:_max)?_bytes|threads|network_\w+)"
)
"""What every target may give, through its client library or Prometheus itself."""
_Use = tuple[Asking, Ratio]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with such ratios, where no job changes the labels of its targets."""
    jobs = inventory.scrape_jobs
    if not jobs or any(job.relabels or job.honors_labels or job.discovery for job in jobs):
        return
    recorded = {item.name for item in inventory.alert_rules if item.kind == "record"}
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    for item in monitoring.asking(inventory):
        for ratio in item.query.ratios:
            if _of_two_jobs(ratio) and not recorded & {ratio.left, ratio.right}:
                found[item.location.file].append((item, ratio))
    for file, uses in found.items():
        yield _evidence(file, uses)


def _of_two_jobs(ratio: Ratio) -> bool:
    """Whether an exporter gives one metric that nothing else gives, and something else the other."""
    left, right = exporters.of_metric(ratio.left), exporters.of_metric(ratio.right)
    free = any(_EVERYWHERE.fullmatch(metric) or ":" in metric for metric in (ratio.left, ratio.right))
    certain = any(item is not None and item.own for item in (left, right))
    return certain and left != right and not free


def _evidence(file: str, uses: list[_Use]) -> Evidence:
    (first, ratio), *others = uses
    names = list(dict.fromkeys(item.name for item, _ in uses))
    many = len(names) > 1
    return Evidence(
        f"{listed(names)} of {file} {'divide' if many else 'divides'} {ratio.left} by {ratio.right}"
        f"{' and the like' if len({item for _, item in uses}) > 1 else ''}, which different targets give: no labels "
        "match, and there is never a result.",
        first.location,
        subject=f"{file}/{'/'.join(names)}",
        related=tuple(Related(item.location, f"{item.name} has no result either", member=True) for item, _ in others),
        recommendation=f"Write `on (…) group_left` after the division in {file}, or sum both sides.",
        example=files.into(file, f"sum(<{ratio.left}>) / sum(<{ratio.right}>)"),
    )
