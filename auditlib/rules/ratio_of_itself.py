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

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Ratio
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SUMMED = """# both sides summed before the division
sum by (job) (<the series that count>)
/ sum by (job) (<all series of {metric}>)"""
_Use = tuple[Asking, Ratio]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file of rules, and one for each dashboard, with all such ratios."""
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    for item in monitoring.asking(inventory):
        for ratio in item.query.ratios:
            if ratio.of_itself:
                found[item.location.file].append((item, ratio))
    for file, uses in found.items():
        yield _evidence(file, uses)


def _evidence(file: str, uses: list[_Use]) -> Evidence:
    (first, ratio), *others = uses
    nearly = any(each.kept_from_zero for _, each in uses)
    names = list(dict.fromkeys(item.name for item, _ in uses))
    many = len(names) > 1
    return Evidence(
        f"{listed(names)} of {file} {'divide' if many else 'divides'} each series of "
        f"{listed(dict.fromkeys(each.left for _, each in uses))} by itself, since nothing sums them: the result is "
        f"always {'about ' if nearly else ''}1.",
        first.location,
        subject=f"{file}/{'/'.join(names)}",
        related=tuple(Related(item.location, f"{item.name} does the same", member=True) for item, _ in others),
        recommendation=f"Put `sum by (…)` around both sides in {counted(len(names), 'place')} of {file}.",
        severity=Severity.LOW if first.of_panel else None,
        example=files.into(file, _SUMMED.format(metric=ratio.left)),
    )
