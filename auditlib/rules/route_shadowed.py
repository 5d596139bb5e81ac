"""A route of Alertmanager stands behind another one that takes all its alerts.

Alertmanager asks the routes of a level from the top, and goes on behind one that matches only where it says
`continue: true`. A special route behind a general one is never reached, and its receiver hears nothing.

Anti-pattern:

    routes:
      - matchers: [severity="critical"]
        receiver: on-call
      - matchers: [severity="critical", team="mail"]    # never reached
        receiver: mail

Better:

    routes:
      - matchers: [severity="critical", team="mail"]
        receiver: mail
      - matchers: [severity="critical"]
        receiver: on-call

Recommendation:

    Put the special route before the general one, or let the first one continue.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#route
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.inventory.monitoring import AlertRule, LabelMatcher
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import is_quick, regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PLAIN = regex(r"[\w-]+(?:\|[\w-]+)*")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every route whose alerts a sibling before it takes: by their matchers, or by the labels of all alerts for it."""
    for number, route in enumerate(inventory.alert_routes):
        if not route.depth or not route.matchers or monitoring.is_template(route.file, route.receiver):
            continue
        parents, siblings = _before(inventory.alert_routes[:number], route)
        earlier = [item for item in siblings if item.matchers and not item.continues]
        covering = [item for item in earlier if _covers(item.matchers, route.matchers)][:1]
        alerts = () if covering else monitoring.reaching(inventory, route.file)
        meant = [item for item in alerts if monitoring.may_match(item, (*parents, *route.matchers))]
        taking = covering or _taking(earlier, meant)
        if taking and any(item.receiver != route.receiver for item in taking):
            yield _evidence(route, taking, meant)


def _before(routes: tuple[Route, ...], route: Route) -> tuple[tuple[LabelMatcher, ...], list[Route]]:
    """The matchers of the routes above one, and its siblings that are asked before it."""
    parents: list[LabelMatcher] = []
    siblings: list[Route] = []
    depth = route.depth
    for item in reversed(routes):
        if item.file != route.file:
            break
        if item.depth == depth == route.depth:
            siblings.insert(0, item)
        elif item.depth < depth:
            depth = item.depth
            parents += item.matchers
    return tuple(parents), siblings


def _covers(general: Iterable[LabelMatcher], special: tuple[LabelMatcher, ...]) -> bool:
    """Whether whatever matches the special matchers matches the general ones."""
    return all(any(_implies(mine, other) for mine in special) for other in general)


def _implies(mine: LabelMatcher, other: LabelMatcher) -> bool:
    if mine == other:
        return True
    known = mine.name == other.name and mine.operator in ("=", "=~") and _PLAIN.fullmatch(mine.value)
    return bool(known) and all(_takes(other, value) for value in mine.value.split("|"))


def _takes(matcher: LabelMatcher, value: str) -> bool:
    """Whether a matcher surely takes a value."""
    return (matcher.operator in ("=", "!=") or is_quick(matcher.value)) and monitoring.takes(matcher, value)


def _taking(earlier: list[Route], alerts: list[AlertRule]) -> list[Route]:
    """The routes that surely take all the alerts; none where one alert may get through."""
    found: dict[Route, None] = {}
    for alert in alerts:
        labels = monitoring.own_labels(alert)
        sure = (
            route for route in earlier if all(m.name in labels and _takes(m, labels[m.name]) for m in route.matchers)
        )
        if (first := next(sure, None)) is None:
            return []
        found[first] = None
    return list(found)


def _are_same(route: Route, first: Route) -> bool:
    return set(route.matchers) == set(first.matchers)


def _advice(route: Route, first: Route) -> str:
    """What to do; of two routes with the same matchers the order doesn't matter."""
    if _are_same(route, first):
        return f"Add `continue: true` to the route to {first.receiver} in {route.file}."
    return f"Put the route to {route.receiver} before the one to {first.receiver} in {route.file}."


def _lines(route: Route, first: Route, written: str) -> str:
    if _are_same(route, first):
        return f"routes:\n  - matchers: ['{written}']\n    receiver: {first.receiver}\n    continue: true"
    return f"routes:\n  - matchers: ['{written}']\n    receiver: {route.receiver}\n  - # the others"


def _evidence(route: Route, taking: list[Route], meant: list[AlertRule]) -> Evidence:
    names = listed(item.receiver for item in taking)
    whose = f"all alerts of the repository that it may mean ({listed((item.name for item in meant), limit=3)})"
    which = whose if meant else "all that it would match"
    written = ", ".join(f'{item.name}{item.operator}"{item.value}"' for item in route.matchers)
    return Evidence(
        f"The route to {route.receiver} ({written}) is never reached: the route to {names} before it takes {which}, "
        "and doesn't continue.",
        route.location,
        subject=f"{route.receiver}/{written}",
        related=tuple(Related(item.location, f"the route to {item.receiver} takes them") for item in taking[:5]),
        recommendation=_advice(route, taking[0]),
        confidence=Confidence.MEDIUM if meant else None,
        example=files.into(route.file, _lines(route, taking[0], written)),
    )
