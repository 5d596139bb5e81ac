"""An alert holds a counter itself against a limit, not its growth.

A counter only rises, until its program starts again. Once it is over the limit, `oom_events_total > 0` fires for ever:
the alert can't be told from the event of last month, is silenced, and the next event tells nobody. A share of two
counters, as the hits of a cache among all requests, is that of the whole time since the start: after some weeks nothing
that happens today moves it.

Anti-pattern:

    - alert: ContainerOomKilled
      expr: container_oom_events_total > 0

Better:

    - alert: ContainerOomKilled
      expr: increase(container_oom_events_total[10m]) > 0

Recommendation:

    Compare `increase(…)` or `rate(…)` over a window with the limit.

References:

- https://prometheus.io/docs/concepts/metric_types/#counter
- https://prometheus.io/docs/prometheus/latest/querying/functions/#increase
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COUNTER = regex(
    r"(?:container|nginx|http|prometheus|alertmanager|coredns|traefik)_\w+_total|"
    r"node_(?:cpu|disk|network|vmstat|edac|netstat|context|forks|intr|schedstat|softnet|pressure)_?\w*_total|"
    r"redis_(?:commands_processed|connections_received|rejected_connections|evicted_keys|expired_keys|keyspace_hits|"
    r"keyspace_misses|net_input_bytes|net_output_bytes)_total"
)
"""What these exporters and all client libraries count; other names with that ending may be of what is there now."""
_OF_CHANGE = regex(r"\b(?:offset|unless|resets|changes|delta|idelta|deriv|increase|i?rate)\b|@")


_OF_LIFE = regex(
    r"(?P<part>redis_keyspace_hits_total|pg_stat_database_blks_hit)\b[^/]{0,200}/\s*(?:\w+\s*)?\([^/<>]{0,200}?"
    r"(?P<rest>redis_keyspace_misses_total|pg_stat_database_blks_read)\b"
)
"""The hits of a cache among all requests since its start."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every alert on a well-known counter, or a share of two, in an expression that asks for no change."""
    for alert in monitoring.alerts(inventory):
        if _OF_CHANGE.search(alert.query.expression):
            continue
        for metric in alert.query.exceeded:
            if _COUNTER.fullmatch(metric):
                yield _evidence(alert, metric)
        if share := _OF_LIFE.search(alert.query.expression):
            yield _of_life(alert, share["part"], share["rest"])


def _of_life(alert: AlertRule, part: str, rest: str) -> Evidence:
    """A share of counters, which is that of all time."""
    grown, other = (f"rate({name}[15m])" for name in (part, rest))
    return Evidence(
        f"{alert.name} asks for the share of {part} since the server's start: the longer it runs, the less what "
        "happens now moves it, so that the alert comes days late, and stays as long.",
        alert.expression_location,
        subject=f"{alert.name}/{part}/share",
        severity=Severity.LOW,
        recommendation=f"Take `rate(…)` of both counters in {alert.name} of {alert.file}.",
        example=files.into(alert.file, f"- alert: {alert.name}\n  expr: {grown} / ({grown} + {other}) < <the limit>"),
    )


def _evidence(alert: AlertRule, metric: str) -> Evidence:
    return Evidence(
        f"{alert.name} fires while {metric} is above a number, and that counter never falls as long as its program "
        "runs: after the first event it fires on and on.",
        alert.expression_location,
        subject=f"{alert.name}/{metric}",
        recommendation=f"Compare `increase({metric}[…])` with the limit of {alert.name} in {alert.file}.",
        example=files.into(alert.file, f"- alert: {alert.name}\n  expr: increase({metric}[10m]) > 0"),
    )
