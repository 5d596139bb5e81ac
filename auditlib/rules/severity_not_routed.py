"""Alerts carry a label value that no route of Alertmanager is for.

The routing tree enumerates the values of a label, `critical` here and `warning` there, and some alert has a third one.
It falls through to the root's receiver, which is often an empty one, or a channel that nobody reads.

Anti-pattern:

    # rules.yml
    labels: {severity: high}
    # alertmanager.yml
    routes:
      - {matchers: [severity="critical"], receiver: on-call}
      - {matchers: [severity="warning"], receiver: chat}

Better:

    routes:
      - {matchers: [severity=~"critical|high"], receiver: on-call}
      - {matchers: [severity="warning"], receiver: chat}

Recommendation:

    Agree on the few values of the label, use them in all rules, and route each of them.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#route
- https://prometheus.io/docs/practices/alerting/
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OWN = frozenset({"alertname", "job", "instance", "namespace", "cluster"})
"""Labels that series bring along, or of which nobody expects a route for each value."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each routing tree the values of a label that fall through, where it is routed by several or dropped."""
    files = {route.file for route in inventory.alert_routes}
    roots = [
        route for route in inventory.alert_routes
        if route.depth == 0 and posixpath.splitext(route.file)[0] not in files  # else the template of another one
    ]  # fmt: skip
    for root in roots:
        below = [route for route in inventory.alert_routes if route.file == root.file and route.depth > 0]
        names = dict.fromkeys(matcher.name for route in below for matcher in route.matchers)
        for label in [name for name in names if name not in _OWN]:
            routes = [route for route in below if any(matcher.name == label for matcher in route.matchers)]
            others = [route for route in below if route not in routes]
            lost = _lost(label, routes, others, monitoring.reaching(inventory, root.file))
            lost = {value: alerts for value, alerts in lost.items() if not _is_meant_for(root, value)}
            if lost and (_enumerates(routes, label) or _drops(inventory, root)) and _tell_anybody(inventory, routes):
                yield from _evidence(inventory, root, label, routes, lost)


def _lost(
    label: str, routes: list[Route], others: list[Route], alerts: Iterable[AlertRule]
) -> dict[str, list[AlertRule]]:
    """The alerts that no route takes, by those of their values that no matcher of the label takes."""
    found: defaultdict[str, list[AlertRule]] = defaultdict(list)
    matchers = [matcher for route in routes for matcher in route.matchers if matcher.name == label]
    if others and not all(route.matchers for route in others):
        return found
    for alert in alerts:
        value = dict(alert.labels).get(label, "")
        if not value or "{{" in value or any(monitoring.takes(matcher, value) for matcher in matchers):
            continue
        if not any(monitoring.may_match(alert, route.matchers) for route in others if route.depth == 1):
            found[value].append(alert)
    return found


def _is_meant_for(root: Route, value: str) -> bool:
    """Whether the root's receiver is, by its name, the one for a value (`telegram-info`)."""
    return value.lower() in re.split(r"\W|_", root.receiver.lower())


def _enumerates(routes: list[Route], label: str) -> bool:
    values = {matcher.value for route in routes for matcher in route.matchers if matcher.name == label}
    return len({value for text in values for value in text.split("|")}) > 1


def _drops(inventory: Inventory, route: Route) -> bool:
    """Whether a route's receiver tells nobody."""
    found = [item for item in inventory.receivers if item.file == route.file and item.name == route.receiver]
    return bool(found) and not found[0].integrations


def _tell_anybody(inventory: Inventory, routes: list[Route]) -> bool:
    """Whether a receiver of the routes is heard; where none is, routes aren't what is missing."""
    return not all(_drops(inventory, route) for route in routes)


def _route(label: str, value: str, routes: list[Route]) -> str:
    known = list(dict.fromkeys(route.receiver for route in routes if route.receiver))
    receiver = known[0] if len(known) == 1 else f"<one of {listed(known)}>" if known else "<who is to be told>"
    return f'route:\n  routes:\n    - matchers: [{label}="{value}"]\n      receiver: {receiver}'


def _evidence(
    inventory: Inventory, root: Route, label: str, routes: list[Route], lost: dict[str, list[AlertRule]]
) -> Iterator[Evidence]:
    dropped = _drops(inventory, root)
    fate = "which tells nobody" if dropped else "the receiver for everything else"
    for value, alerts in lost.items():
        yield Evidence(
            f"{listed(alert.name for alert in alerts)} {'has' if len(alerts) == 1 else 'have'} {label}={value}, which "
            f"no route of {root.file} matches; {'it falls' if len(alerts) == 1 else 'they fall'} through to "
            f"{root.receiver}, {fate}.",
            alerts[0].location,
            subject=f"{label}={value}",
            related=(
                *(Related(route.location, f"a route by {label}") for route in routes[:5]),
                *(Related(alert.location, f"{alert.name} has it too", member=True) for alert in alerts[1:8]),
            ),
            recommendation=f"Add a route for {label}={value} to {root.file}, or use one of the values that it routes.",
            severity=Severity.HIGH if dropped else None,
            example=files.into(root.file, _route(label, value, routes)),
        )
