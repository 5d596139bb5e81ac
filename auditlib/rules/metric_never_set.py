"""A metric is defined, and no code ever sets it.

The program publishes it as zero, or with labels not at all. An alert on it never fires, and a panel shows calm
whatever happens; who finds it in the list of metrics takes it for measured.

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

from collections import defaultdict
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


_User = tuple[str, Location]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of code one finding for the metrics that nothing else names, first those that somebody looks at."""
    found: defaultdict[str, list[tuple[IdleMetric, list[_User], list[_User]]]] = defaultdict(list)
    for item in inventory.idle_metrics:
        if not environments.is_for_development(item.location.file):
            names = {item.name, *(f"{item.name}{part}" for part in _PARTS), item.name.removesuffix("_total")}
            alerts, panels = list(_alerts(inventory, names)), list(_panels(inventory, names))
            found[item.location.file].append((item, alerts, panels))
    for file, items in found.items():
        looked_at = [each for each in items if each[1] or each[2]]
        yield _evidence(file, sorted(looked_at or items, key=lambda each: not each[1]))


def _alerts(inventory: Inventory, names: set[str]) -> Iterator[_User]:
    for item in inventory.alert_rules:
        if not names.isdisjoint(item.query.metrics):
            yield f"the alert {item.name}", item.expression_location


def _panels(inventory: Inventory, names: set[str]) -> Iterator[_User]:
    for dashboard in inventory.dashboards:
        for panel in dashboard.panels:
            if any(not names.isdisjoint(query.metrics) for query in panel.queries):
                yield f"the panel {panel.title} of {dashboard.title}", panel.location


def _evidence(file: str, items: list[tuple[IdleMetric, list[_User], list[_User]]]) -> Evidence:
    (first, alerts, panels), *others = items
    users = dict.fromkeys(user for _, *both in items for each in both for user in each)
    call = ("labels(<their values>)." if first.labelled else "") + _CALLS.get(
        first.kind, "observe(<what was measured>)"
    )
    names, it = listed(item.name for item, *_ in items), "them" if others else "it"
    looks = "looks" if len(users) == 1 else "look"
    effect = f"{listed((name for name, _ in users), limit=3)} {looks} at what never changes"
    return Evidence(
        f"{file} defines {names}, and no code sets {it}: {effect if users else f'nothing is measured by {it}'}.",
        first.location,
        subject=f"{file}/metrics",
        related=(
            *(Related(item.location, f"{item.name} is set nowhere either", member=True) for item, *_ in others),
            *(Related(place, f"{name} asks for it") for name, place in (*alerts, *panels)[:5]),
        ),
        recommendation=f"Set {listed((item.name for item, *_ in items), limit=2)} where it happens "
        f"(`{first.holder}.{call}`), or remove {it}{f' with what looks at {it}' if users else ''}.",
        severity=None if alerts else Severity.LOW,
        example=files.into(file, f"{first.holder}.{call}  # imported where it happens"),
    )
