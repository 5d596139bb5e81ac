"""An alert on a share of requests fires on a single one.

A share says nothing of how many there were. At night, or just after a start, one failure of three requests is a third
of all: the alert wakes somebody for it, and people learn not to look.

Anti-pattern:

    expr: sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05

Better:

    expr: |
      sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05
      and sum(increase(http_requests_total[5m])) > 50

Recommendation:

    Ask for a least number of requests beside the share.

References:

- https://sre.google/workbook/alerting-on-slos/#low-traffic-services-and-error-budget-alerting
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PART = regex(r"(\d+)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_INTERVAL = 60.0
"""The seconds between two scrapes where no configuration is known: Prometheus' own."""


@rule(area=Area.MONITORING, severity=Severity.INFO, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file the alerts that hold a part of a counter's growth against all of it, and ask for no number."""
    found: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        if _is_thin(alert) and not environments.is_aside(alert.file) and _outlasts(inventory, alert):
            found[alert.file].append(alert)
    for file, alerts in found.items():
        yield _evidence(file, alerts)


def _is_thin(alert: AlertRule) -> bool:
    """Whether a part is held against all; what divides a series by itself is no part, and a finding of its own."""
    return bool(alert.query.thin) and not any(ratio.of_itself for ratio in alert.query.ratios)


def _outlasts(inventory: Inventory, alert: AlertRule) -> bool:
    """Whether one failure stays in the window until the alert fires: it is seen from the scrape after it on."""
    held = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(alert.duration))
    spans = [seconds for metric, seconds in alert.query.windows if metric in alert.query.thin]
    configs = monitoring.loading(inventory, alert.file)
    interval = max((item.interval for item in configs), default=_INTERVAL)
    return held == 0 or (bool(spans) and min(spans) >= held + interval)


def _evidence(file: str, alerts: list[AlertRule]) -> Evidence:
    first, *others = alerts
    names = listed((item.name for item in alerts), limit=4)
    counter = first.query.thin[0]
    return Evidence(
        f"{names} of {file} {'holds' if not others else 'hold'} a part against all, whatever the number: where there "
        f"is little traffic, one failure is enough to fire {'it' if not others else 'them'}.",
        first.expression_location,
        subject=f"{file}/thin",
        related=tuple(Related(item.expression_location, f"so does {item.name}", member=True) for item in others),
        recommendation=f"Ask for a least number in {names}, as far as so little traffic occurs.",
        example=files.into(
            file,
            f"expr: <the expression so far> and on() sum(increase({counter}[<the same window>])) > <a least number>",
        ),
    )
