"""An alert on zero is silent where there is no series at all.

`rate(events_total[5m]) == 0` compares series that exist. A counter that a program makes at its first event doesn't
exist before it, and a program that never got that far gives none: the case that the alert is for is the one it doesn't
see.

Anti-pattern:

    - alert: ConsumerStalled
      expr: rate(events_consumed_total[5m]) == 0

Better:

    - alert: ConsumerStalled
      expr: rate(events_consumed_total[5m]) == 0 or absent(events_consumed_total)

Recommendation:

    Add `or absent(…)` to alerts on zero, or make the counter with the value 0 at the start.

References:

- https://prometheus.io/docs/practices/instrumentation/#avoid-missing-metrics
- https://prometheus.io/docs/prometheus/latest/querying/functions/#absent
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import exporters, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GROWTH = regex(r"\b(?:rate|increase|irate)\(")
_COMPARISON = regex(r"[=<>!]")
_MATCHERS = regex(r"\{[^{}]{0,500}\}")


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every alert on the growth of an application's counter being zero, where no rule asks whether it is absent."""
    absent = " ".join(item.query.expression for item in inventory.alert_rules if "absent" in item.query.expression)
    told = any("up" in item.query.metrics for item in monitoring.alerts(inventory))  # of a program that is gone
    for alert in monitoring.alerts(inventory):
        metric = alert.query.metrics[0] if len(alert.query.metrics) == 1 else ""
        known = exporters.of_metric(metric) if metric else None
        own = metric and (known is None or known is exporters.APPLICATION)
        bare = _MATCHERS.sub("", alert.query.expression.strip())
        if own and metric not in absent and "absent" not in bare and _is_of_no_growth(bare):
            made = [item for item in inventory.own_metrics if metric in scraping.series_of(item.name)]
            there = not any(item.labelled for item in made) and (bool(made) or told)
            if not there and not _is_nowhere(inventory, graph, alert, metric):
                yield _evidence(alert, metric)


def _is_nowhere(inventory: Inventory, graph: DependencyGraph, alert: AlertRule, metric: str) -> bool:
    """Whether no program makes the metric, which is a finding of its own."""
    configs = monitoring.loading(inventory, alert.file) or monitoring.prometheus_in_use(inventory)
    return bool(scraping.unmade(inventory, scraping.all_sources(inventory, graph, configs), [metric]))


def _is_of_no_growth(bare: str) -> bool:
    """Whether an expression, without its matchers, compares the growth of a counter with zero and does nothing else."""
    asked, _, limit = bare.rpartition("==")
    return limit.strip() == "0" and bool(_GROWTH.search(asked)) and not _COMPARISON.search(asked)


def _evidence(alert: AlertRule, metric: str) -> Evidence:
    return Evidence(
        f"{alert.name} fires while {metric} doesn't grow, and not while there is no such series: before the first "
        "event, unless the program makes the counter at its start, and after the program is gone.",
        alert.expression_location,
        subject=alert.name,
        recommendation=f"Add `or absent({metric})` to {alert.name} in {alert.file}.",
        example=files.into(alert.file, f"expr: {' '.join(alert.query.expression.split())} or absent({metric})"),
    )
