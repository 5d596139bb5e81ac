"""An alert on zero is silent where there is no series at all.

`rate(events_total[5m]) == 0` compares series that exist. A counter that a program makes at its first event doesn't
exist before it, and a program that never got that far gives none: the case that the alert is for is the one it doesn't
see. One that no code makes at all never exists.

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

from auditlib.conventions import exporters, monitoring, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GROWTH = regex(r"\b(?:rate|increase|irate)\(")
_COMPARISON = regex(r"[=<>!]")
_OTHERS = tuple(ending for ending in programs.OTHER_LANGUAGES if ending != ".go")
_MATCHERS = regex(r"\{[^{}]{0,500}\}")


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every alert on the growth of an application's counter being zero, where no rule asks whether it is absent."""
    absent = " ".join(item.query.expression for item in inventory.alert_rules if "absent" in item.query.expression)
    for alert in monitoring.alerts(inventory):
        metric = alert.query.metrics[0] if len(alert.query.metrics) == 1 else ""
        known = exporters.of_metric(metric) if metric else None
        own = metric and (known is None or known is exporters.APPLICATION)
        bare = _MATCHERS.sub("", alert.query.expression.strip())
        if own and metric not in absent and "absent" not in bare and _is_of_no_growth(bare):
            made = [item for item in inventory.own_metrics if metric in _series(item.name)]
            if not made and known is None and _is_all_known(inventory):
                yield _nowhere(inventory, alert, metric)
            elif not made or any(item.labelled for item in made):
                yield _evidence(alert, metric)


def _series(name: str) -> tuple[str, ...]:
    """What a metric's series may be called."""
    return name, *(f"{name}_{end}" for end in ("total", "count", "sum", "bucket"))


def _is_all_known(inventory: Inventory) -> bool:
    """Whether all programs of the repository spell the names of their metrics, and nothing passes on others'."""
    spelt = bool(inventory.own_metrics) and all(item.name for item in inventory.own_metrics)
    foreign = any(path.endswith(_OTHERS) for path in inventory.files)
    relays = (exporters.of_image(item.image) for item in inventory.services)
    return spelt and not foreign and not any(item is not None and item.relays for item in relays)


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


def _nowhere(inventory: Inventory, alert: AlertRule, metric: str) -> Evidence:
    first = inventory.own_metrics[0]
    return Evidence(
        f"{alert.name} asks for {metric}, which no code of the repository makes: the alert never fires, unless "
        "a program outside of it gives the metric.",
        alert.expression_location,
        subject=alert.name,
        related=(Related(first.location, f"the code makes {first.name} here"),),
        recommendation=f"Have the code count {metric}, or remove {alert.name} from {alert.file}.",
        severity=Severity.MEDIUM,
        example=files.into(first.location.file, f"<a counter {metric}, made as {first.name} is>"),
    )
