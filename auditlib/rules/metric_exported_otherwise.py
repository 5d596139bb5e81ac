"""A query asks for a metric of the code by the name that stands there, and Prometheus is shown another.

OpenTelemetry's exporter adds to a name what Prometheus expects to find in it: the unit (`_seconds`, `_bytes`, of a
gauge with the unit `1` also `_ratio`) and, of counters, `_total`. A rule that leaves it out finds nothing: the alert
never fires, and the panel stays empty.

Anti-pattern:

    // worker.go
    meter.Int64ObservableGauge("queue.lag", metric.WithUnit("1"))
    # rules.yml
    expr: queue_lag > 1000

Better:

    // worker.go
    meter.Int64ObservableGauge("queue.lag", metric.WithUnit("{message}"))
    # rules.yml
    expr: queue_lag > 1000

Recommendation:

    Ask for the name that `/metrics` shows, or give the instrument a unit that adds nothing.

References:

- https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#metric-metadata-1
- https://pkg.go.dev/go.opentelemetry.io/otel/exporters/prometheus
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.conventions.monitoring import Asking
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.telemetry import OtelInstrument
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PARTS = ("_bucket", "_sum", "_count")


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each such name one finding for all rules and panels that ask for it."""
    wrong = _wrong_names(inventory)
    found: defaultdict[str, list[Asking]] = defaultdict(list)
    for item in monitoring.asking(inventory) if wrong else ():
        for metric in item.query.metrics:
            if metric in wrong:
                found[metric].append(item)
    for metric, users in found.items():
        yield _evidence(metric, *wrong[metric], users)


def _wrong_names(inventory: Inventory) -> dict[str, tuple[OtelInstrument, str]]:
    """By a name that nothing has the instrument that is meant, and the name of its series."""
    instruments = inventory.otel_instruments
    given = {name for item in instruments for name in _series(item, item.exported)}
    given |= {item.name for item in inventory.own_metrics}
    given |= {item.name for item in inventory.alert_rules if item.kind == "record"}
    wrong: dict[str, tuple[OtelInstrument, str]] = {}
    for item in instruments:
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", item.name)
        pairs = zip(_series(item, plain), _series(item, item.exported), strict=True)
        wrong |= {asked: (item, real) for asked, real in pairs if asked not in given}
    return wrong


def _series(item: OtelInstrument, name: str) -> tuple[str, ...]:
    return tuple(f"{name}{part}" for part in _PARTS) if item.kind == "histogram" else (name,)


def _evidence(metric: str, instrument: OtelInstrument, real: str, users: list[Asking]) -> Evidence:
    first, *others = users
    unit = f" with the unit `{instrument.unit}`" if instrument.unit else ""
    alerts = any(not item.of_panel for item in users)
    who = f"{listed(item.called for item in users)} {'asks' if not others else 'ask'}"
    return Evidence(
        f"{who} for {metric}; the {instrument.kind} {instrument.name}{unit} is exported as {real}, so that there are "
        "no such series.",
        first.location,
        subject=metric,
        related=(
            *(Related(item.location, f"{item.called} asks for it too", member=True) for item in others),
            Related(instrument.location, "is made here"),
        ),
        recommendation=f"Write {real} in place of {metric} in {first.location.file}.",
        severity=None if alerts else Severity.MEDIUM,
        change=(metric, real),
        example=files.into(first.location.file, real),
    )
