"""The text of an alert has gaps, or a number that is a hundred times too big.

`{{ $labels.instance }}` is empty where the expression sums over all instances: "API on  is slow". `humanizePercentage`
multiplies by 100, so that 85 per cent become 8500 %, and two errors a second 200 %, of however many requests. Whoever
is woken by it looks in the wrong place first.

Anti-pattern:

    - alert: ErrorRate
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) * 100 > 5
      annotations:
        summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} errors"

Better:

    - alert: ErrorRate
      expr: sum by (instance) (rate(errors_total[5m])) / sum by (instance) (rate(requests_total[5m])) > 0.05
      annotations:
        summary: "{{ $labels.instance }} has {{ $value | humanizePercentage }} errors"

Recommendation:

    Name labels that the expression keeps, and give `humanizePercentage` a share between 0 and 1.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#templating
- https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LABEL = regex(r"\{\{-?[^{}]{0,200}?(?:\$labels|\.Labels)\.(\w{1,100})")
_PERCENT = regex(r"\{\{-?\s*(?:\$value|\.Value)\s*\|\s*humanizePercentage|humanizePercentage\s+(?:\$value|\.Value)\b")
_WHOLE = regex(
    r"\{\{-?\s*(?:(?:\$value|\.Value)\s*\|\s*humanizePercentage|humanizePercentage\s+(?:\$value|\.Value))\s*-?\}\}%?"
)
_QUOTED = regex(r"\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|\[[^\]\n]{0,60}\]")
_GROWS = regex(r"\s*(?:(?:sum|avg|max|min)\s*(?:(?:by|without)\s*\([^()]{0,200}\)\s*)?\(\s*)?(?:rate|irate|increase)\(")
_COMPUTES = regex(r"[/*%^+]|\s-\s|\b(?:or|and|unless|on|ignoring)\b")
_EVENTS = regex(r"_(?:total|count)$")
_OF_TIME = regex(r"seconds_total|_time_|duration_total|_ms_total")
"""Seconds a second, which are a share of time."""
_AS_IT_IS = "{{ $value | humanize }} %"
_Fault = tuple[AlertRule, str, str]
"""An alert, what is wrong with its text, and the label that is missing, if that is it."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each file with alerts whose texts name labels that are gone, or take a percentage for a share."""
    found: defaultdict[tuple[str, bool], list[_Fault]] = defaultdict(list)
    for alert in monitoring.alerts(inventory):
        if fault := _fault(alert):
            found[alert.file, not fault[2] and _is_of_events(alert)].append(fault)
    for (file, _), items in found.items():
        yield _evidence(file, items)


def _fault(alert: AlertRule) -> _Fault | None:
    texts = [value for _, value in (*alert.annotations, *alert.labels)]
    if alert.query.labels.known:
        for label in (name for text in texts for name in _LABEL.findall(text)):
            if label not in alert.query.labels.names:
                return alert, f"names the label {label}, which its expression doesn't keep", label
    if any(map(_PERCENT.search, texts)) and _is_of_events(alert):
        return alert, "makes a percentage of how many events there are a second, which is a share of nothing", ""
    most = max((item.most for item in alert.query.shares), default=0)
    if most == 100 and len(alert.query.shares) == 1 and any(map(_PERCENT.search, texts)):
        return alert, "makes a percentage of what is one already, a hundred times too big", ""
    return None


def _is_of_events(alert: AlertRule) -> bool:
    """Whether an expression is the growth of one counter of events, by itself: it is divided by nothing."""
    text = _QUOTED.sub("", alert.query.expression)
    metrics = alert.query.metrics
    events = len(metrics) == 1 and _EVENTS.search(metrics[0]) and not _OF_TIME.search(metrics[0])
    return bool(events) and bool(_GROWS.match(text)) and not _COMPUTES.search(text)


def _without_percent(alert: AlertRule) -> str:
    """The annotation that takes a percentage for a share, with the value as it is."""
    for name, text in alert.annotations:
        if _PERCENT.search(text) and '"' not in text and "\n" not in text:
            return f'annotations:\n    {name}: "{_WHOLE.sub(_AS_IT_IS, text)}"'
    return f'annotations:\n    summary: "{_AS_IT_IS}"'


def _evidence(file: str, items: list[_Fault]) -> Evidence:
    (first, what, label), *others = items
    more = f" ({listed((alert.name for alert, *_ in others), limit=4)} likewise)" if others else ""
    kept = listed(first.query.labels.names)
    events = not label and _is_of_events(first)
    instead = f"one of {kept}" if kept else "none, as the expression keeps none"
    lines = "expr: sum by (<the labels that the text names>) (…)" if label else _without_percent(first)
    lines = "expr: sum(rate(<the events>)) / sum(rate(<all of them>)) > <the limit as a share>" if events else lines
    return Evidence(
        f"The text of {first.name} in {file} {what}{more}.",
        first.location,
        subject=f"{file}/{first.name}",
        related=tuple(Related(alert.location, f"the text of {alert.name}", member=True) for alert, *_ in others),
        recommendation=f"Keep {label} in the expression of {first.name}, or name {instead}."
        if label
        else f"Divide the expression of {first.name} by the growth of all events, or leave `humanizePercentage` out."
        if events
        else f"Write `{{{{ $value | humanize }}}} %` in the text of {first.name}.",
        example=files.into(file, f"- alert: {first.name}\n  {lines}"),
    )
