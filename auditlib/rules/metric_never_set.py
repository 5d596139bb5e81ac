"""A metric that an alert or a panel asks for is defined, and no code ever sets it.

The program publishes it as zero, or with labels not at all. The alert on it never fires, and the panel shows calm
whatever happens.

Anti-pattern:

    ERRORS = Counter("shop_errors_total", "Errors")     # nothing calls ERRORS.inc()
    # rules.yml
    - alert: ManyErrors
      expr: rate(shop_errors_total[5m]) > 1

Better:

    except PaymentError:
        ERRORS.inc()
        raise

Recommendation:

    Count where it happens, or remove the metric with the alerts and panels on it.

References:

- https://prometheus.io/docs/practices/instrumentation/
- https://prometheus.io/docs/practices/alerting/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import IdleMetric
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CALLS = {"counter": "inc()", "gauge": "set(<its value>)"}
_PARTS = ("_bucket", "_count", "_sum", "_total", "_created")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each metric of the code that alerts or panels look at, and that nothing but its definition names."""
    for item in inventory.idle_metrics:
        if not environments.is_for_development(item.location.file):
            names = {item.name, *(f"{item.name}{part}" for part in _PARTS), item.name.removesuffix("_total")}
            alerts = [
                (f"the alert {each.name}", each.expression_location)
                for each in inventory.alert_rules
                if not names.isdisjoint(each.query.metrics)
            ]
            if users := [*alerts, *_panels(inventory, names)]:
                yield _evidence(item, users, alone=not alerts)


def _panels(inventory: Inventory, names: set[str]) -> Iterator[tuple[str, Location]]:
    for dashboard in inventory.dashboards:
        for panel in dashboard.panels:
            if any(not names.isdisjoint(query.metrics) for query in panel.queries):
                yield f"the panel {panel.title} of {dashboard.title}", panel.location


def _evidence(item: IdleMetric, users: list[tuple[str, Location]], *, alone: bool) -> Evidence:
    asking = listed((name for name, _ in users), limit=3)
    call = _CALLS.get(item.kind, "observe(<what was measured>)")
    return Evidence(
        f"{item.location.file} defines {item.name} as {item.holder}, and no code sets it: {asking} "
        f"{'looks' if len(users) == 1 else 'look'} at what never changes.",
        item.location,
        subject=item.name,
        related=tuple(Related(place, f"{name} asks for it") for name, place in users[:5]),
        recommendation=f"Call `{item.holder}.{call}` where it happens, or remove {item.name} with what looks at it.",
        severity=Severity.LOW if alone else None,
        example=files.into(
            f"<the file where it happens, as {item.location.file} is imported>", f"{item.holder}.{call}"
        ),
    )
