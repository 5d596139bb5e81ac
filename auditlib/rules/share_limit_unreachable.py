"""An alert holds a share against a number that no share reaches.

A part divided by its whole is never above 1. `errors / requests > 5` was meant as five per cent and never fires,
however many errors there are; `free / size < 20` fires all the time.

Anti-pattern:

    - alert: ErrorRate
      expr: sum(rate(requests_total{status=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 5

Better:

    - alert: ErrorRate
      expr: sum(rate(requests_total{status=~"5.."}[5m])) / sum(rate(requests_total[5m])) > 0.05

Recommendation:

    Write the limit as a share (`0.05`), or multiply the share by 100.

References:

- https://prometheus.io/docs/practices/naming/#base-units
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, ShareLimit
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ABOVE = frozenset({">", ">="})


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file with alerts that compare a share with more than it can be."""
    found: defaultdict[str, list[tuple[AlertRule, ShareLimit]]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        for limit in alert.query.shares:
            if limit.number > limit.most or (limit.number == limit.most and limit.operator == ">"):
                found[alert.file].append((alert, limit))
                break
    for file, items in found.items():
        yield _evidence(file, items)


def _evidence(file: str, items: list[tuple[AlertRule, ShareLimit]]) -> Evidence:
    (first, limit), *others = items
    never = limit.operator in _ABOVE
    what = "share" if limit.most == 1 else "percentage"
    meant = f"{limit.number / 100:g}" if limit.most == 1 and limit.number <= 100 else "<the limit>"
    more = f" ({listed(dict.fromkeys(alert.name for alert, _ in others), limit=4)} likewise)" if others else ""
    return Evidence(
        f"{first.name} of {file} asks whether a {what} is `{limit.operator} {limit.number:g}`, and none is ever above "
        f"{limit.most}: it {'never fires' if never else 'fires all the time'}{more}.",
        first.expression_location,
        subject=f"{file}/{first.name}",
        related=tuple(
            Related(alert.expression_location, f"{alert.name} has such a limit, too", member=True)
            for alert, _ in others
        ),
        recommendation=f"Write the limit of {first.name} as a share, or multiply what it asks for by 100.",
        example=files.into(file, f"- alert: {first.name}\n  expr: <as it is> {limit.operator} {meant}"),
    )
