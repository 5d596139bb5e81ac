"""A route of Alertmanager takes every alert, and those after it get none.

A route without matchers takes whatever comes to it. Unless it says `continue: true`, no route below it in the file is
asked any more, and its parent's receiver gets nothing.

Anti-pattern:

    routes:
      - receiver: mail
        match_re:          # nothing below it: takes everything
      - receiver: on-call
        matchers: [severity="critical"]

Better:

    routes:
      - receiver: on-call
        matchers: [severity="critical"]
      - receiver: mail

Recommendation:

    Give the route matchers, let it continue, or put it last.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every route without matchers that ends the search, before other routes or with matchers left blank."""
    for number, route in enumerate(inventory.alert_routes):
        if route.depth == 0 or route.matchers or route.continues or monitoring.is_template(route.file, route.receiver):
            continue
        later = [item for item in _siblings_after(inventory, number) if item.receiver != route.receiver]
        if later:
            names = listed(dict.fromkeys(item.receiver for item in later))
            yield _evidence(route, f"no alert reaches what comes after it, to {names}", later)
        elif route.blank and (parent := _parent(inventory, number)).receiver != route.receiver:
            yield _evidence(route, f"none is left for {parent.receiver}, the receiver above it", [parent])


def _parent(inventory: Inventory, number: int) -> Route:
    """The route that one is below, as they stand depth first."""
    routes = inventory.alert_routes
    return next(routes[at] for at in range(number - 1, -1, -1) if routes[at].depth < routes[number].depth)


def _siblings_after(inventory: Inventory, number: int) -> Iterator[Route]:
    """The routes on the same level that are asked after one."""
    route = inventory.alert_routes[number]
    for item in inventory.alert_routes[number + 1 :]:
        if item.file != route.file or item.depth < route.depth:
            return
        if item.depth == route.depth:
            yield item


def _evidence(route: Route, lost: str, others: list[Route]) -> Evidence:
    blank = f"its `{route.blank}` is blank" if route.blank else "it has no matchers"
    return Evidence(
        f"The route to {route.receiver} takes every alert that gets there, as {blank} and it doesn't continue: {lost}.",
        route.location,
        subject=route.receiver,
        related=tuple(Related(item.location, f"nothing is left for {item.receiver} here") for item in others[:10]),
        recommendation=f"Give the route to {route.receiver} matchers, or move it behind all others.",
        example=files.into(
            route.file, f'routes:\n  - receiver: {route.receiver}\n    matchers: [<label>="<what it is for>"]'
        ),
    )
