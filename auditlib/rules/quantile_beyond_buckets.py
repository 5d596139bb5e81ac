"""An alert waits for a quantile that its histogram can't tell.

A histogram knows only how many values lay below each bound of its buckets. `histogram_quantile` never answers more than
the highest bound, so that an alert on a greater number never fires, however slow it gets; between two bounds it guesses
as if the values lay evenly.

Anti-pattern:

    LATENCY = Histogram("report_seconds", "Time of a report")      # buckets up to 10 seconds
    # expr: histogram_quantile(0.95, rate(report_seconds_bucket[5m])) > 60

Better:

    LATENCY = Histogram("report_seconds", "Time of a report", buckets=(1, 5, 15, 30, 60, 120))

Recommendation:

    Give the histogram a bucket at the number of the alert, and one above it.

References:

- https://prometheus.io/docs/practices/histograms/
- https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, OwnMetric, QuantileLimit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Use = tuple[AlertRule, QuantileLimit]


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each histogram of the repository's own code with the alerts on quantiles that its buckets never reach."""
    own = _own(inventory)
    recorded: defaultdict[str, set[str]] = defaultdict(set)
    for item in inventory.alert_rules if own else ():
        if item.kind == "record":
            recorded[item.name].add(item.query.quantile)
    beyond: defaultdict[str, list[_Use]] = defaultdict(list)
    for item in inventory.alert_rules if own else ():
        for limit in item.query.limits if item.kind == "alert" else ():
            names = recorded.get(limit.recorded, set()) if limit.recorded else {limit.histogram}
            metric = own.get(next(iter(names))) if len(names) == 1 else None
            if metric and _is_beyond(limit, metric.buckets):
                beyond[metric.name].append((item, limit))
    for name, uses in beyond.items():
        yield _evidence(own[name], uses)


def _own(inventory: Inventory) -> dict[str, OwnMetric]:
    """The histograms whose buckets are known, by their names; none that several files make in different ways."""
    found: defaultdict[str, list[OwnMetric]] = defaultdict(list)
    for item in inventory.own_metrics:
        found[item.name].append(item)
    return {name: items[0] for name, items in found.items()
            if name and items[0].buckets and len({item.buckets for item in items}) == 1}  # fmt: skip


def _is_beyond(limit: QuantileLimit, buckets: tuple[float, ...]) -> bool:
    """Whether no quantile gets there: the highest bound is the most that is ever answered."""
    return limit.number > buckets[-1] or (limit.operator == ">" and limit.number == buckets[-1])


def _evidence(metric: OwnMetric, uses: list[_Use]) -> Evidence:
    (first, _), *others = uses
    names = list(dict.fromkeys(item.name for item, _ in uses))
    one = len(names) == 1
    fires = "it never fires" if one else "they never fire"
    highest = f"{metric.buckets[-1]:g}"
    numbers = listed(dict.fromkeys(f"{each.operator} {each.number:g}" for _, each in uses))
    most = max(each.number for _, each in uses)
    return Evidence(
        f"{listed(names)} {'asks' if one else 'ask'} for a quantile of {metric.name} {numbers}, whose highest bucket "
        f"ends at {highest}: no quantile is ever greater than that, so that {fires}.",
        first.expression_location,
        subject=f"{metric.name}/{'/'.join(names)}",
        related=(
            *(Related(item.expression_location, f"{item.name} does so too", member=True) for item, _ in others),
            Related(metric.location, f"the code makes {metric.name} here"),
        ),
        recommendation=f"Give {metric.name} buckets up to more than {most:g} in {metric.location.file}.",
        example=files.into(
            metric.location.file, f"<buckets of {metric.name}>: {', '.join(_bounds(metric.buckets, most))}"
        ),
    )


def _bounds(buckets: tuple[float, ...], most: float) -> list[str]:
    """The buckets with one at the number, and one above it."""
    return [f"{item:g}" for item in (*(each for each in buckets if each < most), most, 2 * most)]
