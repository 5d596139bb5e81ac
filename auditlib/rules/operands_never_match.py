"""An operation on two series whose labels never match.

`and`, a comparison or a division of two vectors takes those pairs of series whose labels are all the same. Where one
side is summed by other labels than the other, there is no such pair: the result is empty without an error, an alert
never fires, a panel has no data.

Anti-pattern:

    - record: api:errors:ratio
      expr: sum by (version) (rate(errors_total[5m])) / sum by (version) (rate(requests_total[5m]))
    - alert: ErrorsAndLatency
      expr: api:errors:ratio > 0.1 and histogram_quantile(0.95, sum by (le, stage) (rate(latency_bucket[5m]))) > 0.2

Better:

    expr: max(api:errors:ratio) > 0.1 and max(api:latency:p95) > 0.2

Recommendation:

    Sum both sides by the same labels, or say by which they match: `and on ()`, `/ on (…) group_left`.

References:

- https://prometheus.io/docs/prometheus/latest/querying/operators/#vector-matching
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, Join, Labels
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Pair = tuple[frozenset[str], frozenset[str]]


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file whose rules or panels ask for such a match."""
    recorded: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for item in inventory.alert_rules:
        if item.kind == "record":
            recorded[item.name].append(item)
    found: defaultdict[str, list[tuple[Asking, Join, _Pair]]] = defaultdict(list)
    for asking in monitoring.asking(inventory):
        for join in asking.query.joins:
            left, right = _names(join.left, recorded), _names(join.right, recorded)
            if left is not None and right is not None and left != right and _are_real(left | right):
                found[asking.location.file].append((asking, join, (left, right)))
                break
    for file, uses in found.items():
        yield _evidence(file, uses)


def _names(labels: Labels, recorded: dict[str, list[AlertRule]]) -> frozenset[str] | None:
    """The names of labels, of a recorded metric those that its rule leaves and adds; None where nothing tells them."""
    if labels.known:
        return frozenset(labels.names)
    rules = recorded.get(labels.metric, [])
    if len(rules) != 1 or not rules[0].query.labels.known:
        return None
    return frozenset((*rules[0].query.labels.names, *(name for name, _ in rules[0].labels)))


def _are_real(names: frozenset[str]) -> bool:
    """Whether no variable of a dashboard stands for a label."""
    return not any("auditlib_variable_" in name for name in names)


def _evidence(file: str, uses: list[tuple[Asking, Join, _Pair]]) -> Evidence:
    (first, join, (left, right)), *others = uses
    names = list(dict.fromkeys(item.called for item, *_ in uses))
    panels = all(item.of_panel for item, *_ in uses)
    many = len(names) > 1
    does = ("show nothing", "shows nothing") if panels else ("never fire", "never fires")
    effect = f"they {does[0]}" if many else f"it {does[1]}"
    like = " and the like" if len({pair for *_, pair in uses}) > 1 else ""
    matched = _matched(join, left, right)
    summed = f"sum by (<labels>) (<the left side>) {join.operator} sum by (<the same labels>) (<the right side>)"
    return Evidence(
        f"{listed(names, limit=4)} of {file} {'join' if many else 'joins'} by `{join.operator}` what has "
        f"{_told(left)} and what has {_told(right)}{like}: no series match, as far as they have these labels, and "
        f"{effect}.",
        first.location,
        subject=f"{file}/{'/'.join(names)}",
        related=tuple(Related(item.location, f"{item.called} does so too", member=True) for item, *_ in others),
        recommendation=f"Sum both sides by the same labels in {file}{f', or write `{matched}`' if matched else ''}.",
        severity=Severity.MEDIUM if panels else None,
        example=files.into(file, f"<the left side> {matched} <the right side>" if matched else summed),
    )


def _told(names: frozenset[str]) -> str:
    return f"the {'label' if len(names) == 1 else 'labels'} {listed(sorted(names))}" if names else "no label"


def _matched(join: Join, left: frozenset[str], right: frozenset[str]) -> str:
    """The operator with the labels that both sides have; empty where several series would match several."""
    on = f"{join.operator} on ({', '.join(sorted(left & right))})"
    if join.operator == "and":
        return on
    return f"{on} group_left ()" if left > right else f"{on} group_right ()" if right > left else ""
