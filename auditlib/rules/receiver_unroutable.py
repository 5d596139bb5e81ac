"""A receiver of Alertmanager is defined, and no route leads to it.

Whoever reads the configuration believes that this mailbox or channel gets alerts. It never gets one. A route that
stands behind one without matchers is none: the first that takes an alert keeps it, unless it says `continue`.

Anti-pattern:

    route:
      receiver: chat
    receivers:
      - name: chat
      - name: on-call        # no route names it

Better:

    route:
      receiver: chat
      routes:
        - matchers: [severity="critical"]
          receiver: on-call

Recommendation:

    Add the route that the receiver was meant for, or remove the receiver.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#route
- https://prometheus.io/docs/alerting/latest/alertmanager/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed, specified
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every receiver with an integration that no route of its file leads to; an empty one may wait for its use."""
    roots = {route.file: route for route in inventory.alert_routes if route.depth == 0}
    shadowed = set(_shadowed(inventory.alert_routes))
    routed = {(route.file, route.receiver) for route in inventory.alert_routes if route not in shadowed}
    templated = {file for file, name in routed if monitoring.is_template(file, name)}
    severities = _severities(inventory)
    for receiver in inventory.receivers:
        file = receiver.file
        if (file, receiver.name) in routed or file in templated or file not in roots or not receiver.integrations:
            continue
        kinds = listed(item.kind for item in receiver.integrations)
        behind = [route for route in shadowed if (route.file, route.receiver) == (file, receiver.name)]
        which = "Only routes behind one that takes every alert lead" if behind else "No route leads"
        yield Evidence(
            f"{which} to the receiver {specified(receiver.name, kinds)}, so that it never gets an alert.",
            receiver.location,
            subject=receiver.name,
            related=(
                *(Related(route.location, "this route is never reached") for route in sorted(behind, key=_line)),
                Related(roots[file].location, f"the routes end at {listed(_used(inventory, file))}"),
            ),
            recommendation=f"Add a route to {receiver.name} in {file}, or remove the receiver.",
            example=files.into(file, _routed(severities, receiver.name)),
        )


def _severities(inventory: Inventory) -> list[str]:
    """The severities that alerts have."""
    labels = (label for alert in monitoring.alerts(inventory) for label in alert.labels)
    return list(dict.fromkeys(value for name, value in labels if name == "severity"))


def _routed(severities: list[str], receiver: str) -> str:
    """A route to the receiver, by one of the severities."""
    wanted = f"one of {listed(severities)}" if severities else "the severity that it is for"
    return f'route:\n  routes:\n    - matchers: [severity="<{wanted}>"]\n      receiver: {receiver}'


def _line(route: Route) -> int:
    return route.location.line


def _shadowed(routes: Sequence[Route]) -> Iterator[Route]:
    """The routes, with all below them, that stand behind a sibling which takes every alert and doesn't go on."""
    taken: set[int] = set()  # the depths at which a sibling before has taken everything
    hidden = 0  # the depth of the shadowed route that stands above, or is, the present one
    for route in routes:
        taken = {depth for depth in taken if depth <= route.depth}
        if not hidden or route.depth <= hidden:
            hidden = route.depth if route.depth in taken else 0
        if hidden:
            yield route
        elif route.depth and not route.matchers and not route.continues:
            taken.add(route.depth)


def _used(inventory: Inventory, file: str) -> list[str]:
    return [route.receiver for route in inventory.alert_routes if route.file == file and route.receiver]
