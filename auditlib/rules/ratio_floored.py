"""A ratio is taken for smaller than it is while little happens.

`clamp_min(…, 1)` is to save a division from a zero. Of a rate it makes one a second at least, and a small service has a
request every few seconds: ten failures of ten requests in five minutes are then three per cent, and no alert fires.

Anti-pattern:

    expr: sum(rate(errors_total[5m])) / clamp_min(sum(rate(requests_total[5m])), 1) > 0.05

Better:

    expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05

Recommendation:

    Divide by the rate itself: a division by zero gives NaN, which is above no threshold and empty in a panel.

References:

- https://prometheus.io/docs/prometheus/latest/querying/functions/#clamp_min
- https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLAIN = """# without clamp_min around the rate
sum(rate(<the failures>[5m])) / sum(rate(<all of them>[5m]))"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file of rules, and one for each dashboard, with all such ratios."""
    found: defaultdict[str, list[Asking]] = defaultdict(list)
    for item in monitoring.asking(inventory):
        if item.query.floors_rate:
            found[item.location.file].append(item)
    for file, uses in found.items():
        yield _evidence(file, uses)


def _evidence(file: str, uses: list[Asking]) -> Evidence:
    first, *others = uses
    names = list(dict.fromkeys(item.name for item in uses))
    return Evidence(
        f"{listed(names)} of {file} {'divide' if len(names) > 1 else 'divides'} by a rate that `clamp_min` takes for "
        "one a second at least: with fewer requests the ratio is told too low.",
        first.location,
        subject=f"{file}/{'/'.join(names)}",
        related=tuple(Related(item.location, f"{item.name} does the same", member=True) for item in others),
        recommendation=f"Take `clamp_min` away from the divisor in {counted(len(uses), 'place')} of {file}.",
        severity=Severity.LOW if first.of_panel else None,
        example=files.into(file, _PLAIN),
    )
