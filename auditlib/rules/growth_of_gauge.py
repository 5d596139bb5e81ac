"""A rule asks for the growth of a value that is no counter.

`rate` and `increase` take every fall of a value for a restart of its counter and add it up again. Of a gauge they give
numbers that mean nothing: of a point in time the seconds between two starts, of memory all that was ever freed.

Anti-pattern:

    - alert: RestartLoop
      expr: increase(container_start_time_seconds[15m]) > 3   # one restart an hour after the start gives 3600

Better:

    - alert: RestartLoop
      expr: changes(container_start_time_seconds[15m]) > 3

Recommendation:

    Count the changes of a point in time with `changes`, and of other gauges take `delta` or `deriv`.

References:

- https://prometheus.io/docs/prometheus/latest/querying/functions/#changes
- https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
- https://prometheus.io/docs/concepts/metric_types/#gauge
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_POINT_IN_TIME = regex(r"\w+_(?:start|boot|creation|last_seen)_time(?:stamp)?_seconds|\w+_timestamp(?:_seconds)?|"
                       r"container_last_seen")  # fmt: skip
_GAUGE = regex(
    r"up|probe_success|node_load(?:1|5|15)|node_memory_\w+_bytes|node_filesystem_(?:avail|free|size)_bytes|"
    r"container_memory_(?:usage|working_set|rss|cache)(?:_bytes)?|process_resident_memory_bytes|"
    r"redis_(?:memory_used_bytes|connected_clients)|pg_stat_activity_count|nginx_connections_active"
)
"""What these exporters give as it is now."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every rule with `rate` or `increase` of a point in time or of a well-known gauge."""
    for item in inventory.alert_rules:
        for metric in item.query.grown:
            if _POINT_IN_TIME.fullmatch(metric):
                yield _evidence(item, metric, "a point in time", "changes")
            elif _GAUGE.fullmatch(metric):
                yield _evidence(item, metric, "a gauge, which falls as well", "delta")


def _evidence(item: AlertRule, metric: str, what: str, instead: str) -> Evidence:
    effect = "not how often it changed" if instead == "changes" else "a number that counts every fall as a new start"
    return Evidence(
        f"{item.name} asks how much {metric} grew, as of a counter, and it is {what}: the result is {effect}.",
        item.expression_location,
        subject=f"{item.name}/{metric}",
        recommendation=f"Take `{instead}` in place of `rate` or `increase` of {metric} in {item.name}.",
        example=files.into(item.file, f"{instead}({metric}[15m])"),
    )
