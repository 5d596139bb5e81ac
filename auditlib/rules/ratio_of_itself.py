"""A ratio divides each series by itself.

Without `sum` Prometheus divides series whose labels are all equal. An error rate such as
`rate(x{status="500"}[5m]) / rate(x[5m])` then takes the failed requests as a share of the failed requests: it is 1 as
soon as one fails, whatever the number of the others.

Anti-pattern:

    expr: rate(http_requests_total{status=~"5.."}[5m]) / rate(http_requests_total[5m]) > 0.01

Better:

    expr: |
      sum by (job) (rate(http_requests_total{status=~"5.."}[5m]))
      / sum by (job) (rate(http_requests_total[5m])) > 0.01

Recommendation:

    Sum both sides over the labels in which they differ, before the division.

References:

- https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
- https://prometheus.io/docs/practices/rules/#aggregation
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Query
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SUMMED = """# both sides summed before the division
sum by (job) (<the series that count>)
/ sum by (job) (<all series of {metric}>)"""
_Use = tuple[str, Location, str]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file of rules, and one for each dashboard, with all such ratios."""
    for file in dict.fromkeys(item.file for item in inventory.alert_rules):
        mine = [item for item in inventory.alert_rules if item.file == file]
        uses = [(item.name, item.expression_location, metric) for item in mine for metric in _divided(item.query)]
        yield from _evidence(file, uses, None)
    for board in inventory.dashboards:
        uses = [
            (panel.title, query.location or panel.location, metric)
            for panel in board.panels
            for query in panel.queries
            for metric in _divided(query)
        ]
        yield from _evidence(board.file, uses, Severity.LOW)


def _divided(query: Query) -> list[str]:
    return [ratio.left for ratio in query.ratios if ratio.of_itself]


def _evidence(file: str, uses: list[_Use], severity: Severity | None) -> Iterator[Evidence]:
    if not uses:
        return
    (_, place, metric), *others = uses
    names = list(dict.fromkeys(name for name, *_ in uses))
    many = len(names) > 1
    yield Evidence(
        f"{listed(names)} of {file} {'divide' if many else 'divides'} each series of "
        f"{listed(dict.fromkeys(metric for *_, metric in uses))} by itself, since nothing sums them: the result is "
        "always 1.",
        place,
        subject=f"{file}/{'/'.join(names)}",
        related=tuple(Related(where, f"{name} does the same", member=True) for name, where, _ in others),
        recommendation=f"Put `sum by (…)` around both sides in {counted(len(names), 'place')} of {file}.",
        severity=severity,
        example=files.into(file, _SUMMED.format(metric=metric)),
    )
