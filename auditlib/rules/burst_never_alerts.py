"""An alert on a rare event waits longer than the event can be seen.

`rate(x[10m]) > 0` holds for ten minutes after the last event, and with `for: 10m` it has to hold longer than that: a
hundred messages that end in the dead letter queue within a minute are never told of, while one every five minutes is.
For errors that mend themselves that may be meant; what is lost once is lost.

Anti-pattern:

    - alert: DeadLetters
      expr: sum(rate(orders_dead_letter_total[10m])) > 0
      for: 10m

Better:

    - alert: DeadLetters
      expr: sum(increase(orders_dead_letter_total[10m])) > 0

Recommendation:

    Drop `for` of alerts on events of which one is enough, or make it far shorter than the window.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
- https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GROWTH = regex(r"\b(?:rate|increase)\(\s*[\w:]+\s*\[(?P<window>[\dsmhdw]{2,12})\]\s*\)")
_MATCHERS = regex(r"\{[^{}]{0,500}\}")
_RARE = regex(r"dead_?letter|(?:^|_)(?:dlq|dlt|dlx|oom|lost|corrupt\w*|poison\w*|panics?)(?:_|$)|data_loss|oom_?kill")
"""Events of which one is enough: they don't come right by themselves."""
_PART = regex(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every alert on any growth of a counter of rare events that has to hold as long as its window, or longer."""
    for alert in monitoring.alerts(inventory):
        window = _window(alert)
        if window and _seconds(alert.duration) >= _seconds(window):
            yield _evidence(alert, window)


def _window(alert: AlertRule) -> str:
    """The window of an alert that asks for the growth of one such counter to be above zero, and for nothing else."""
    metrics = alert.query.metrics
    bare = _MATCHERS.sub("", alert.query.expression)
    asked, _, limit = bare.rpartition(">")
    found = list(_GROWTH.finditer(asked))
    alone = limit.strip() == "0" and len(found) == len(metrics) == 1 and not re.search(r"[=<>!/*-]", asked)
    return found[0]["window"] if alone and _RARE.search(metrics[0]) else ""


def _seconds(text: str) -> int:
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _evidence(alert: AlertRule, window: str) -> Evidence:
    metric = alert.query.metrics[0]
    expression = " ".join(alert.query.expression.split())
    return Evidence(
        f"{alert.name} asks for the growth of {metric} within {window} and waits {alert.duration} before it fires: "
        "events of one short while, however many, are never told of.",
        alert.expression_location,
        subject=alert.name,
        recommendation=f"Drop `for: {alert.duration}` of {alert.name} in {alert.file}, or widen its window.",
        example=files.into(alert.file, f"- alert: {alert.name}\n  expr: {expression}   # without for"),
    )
