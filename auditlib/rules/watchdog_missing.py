"""No alert fires all the time, so that nobody notices when the alerting itself is dead.

Prometheus, Alertmanager and the way to the receiver fail in silence. An alert that always fires, sent to something
outside that complains when it stops, turns this silence into a message.

Anti-pattern:

    groups:
      - name: services
        rules:
          - alert: TargetDown
            expr: up == 0

Better:

    groups:
      - name: services
        rules:
          - alert: Watchdog
            expr: vector(1)
          - alert: TargetDown
            expr: up == 0

Recommendation:

    Add an alert on `vector(1)`, route it to a dead man's switch outside this host, and have that page somebody.

References:

- https://prometheus.io/docs/practices/alerting/#metamonitoring
- https://github.com/prometheus-operator/kube-prometheus/wiki/watchdog
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ALWAYS = regex(r"watch[-_]?dog|dead[-_]?man|heart[-_]?beat|always[-_]?firing|snitch|healthchecks", re.I)


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Prometheus in use that sends its alerts somewhere, where none of them always fires."""
    if deployment.leaves_compose(inventory):
        return
    for config in monitoring.prometheus_in_use(inventory):
        alerts = [item for item in monitoring.alerts(inventory) if config in monitoring.loading(inventory, item.file)]
        here = all(pattern in inventory.file_set for pattern in monitoring.rule_patterns(inventory, config))
        sends = config.alertmanagers and any(receiver.integrations for receiver in inventory.receivers)
        if alerts and here and sends and not any(map(_always_fires, alerts)) and not _goes_to_switch(inventory):
            yield _evidence(config.file, alerts, next(item.file for item in inventory.receivers if item.integrations))


def _always_fires(alert: AlertRule) -> bool:
    return monitoring.is_constant(alert) or bool(_ALWAYS.search(alert.name))


def _goes_to_switch(inventory: Inventory) -> bool:
    """Whether a receiver is called like something that complains when it hears nothing."""
    return any(_ALWAYS.search(receiver.name) for receiver in inventory.receivers)


_ROUTE = """route:
  routes:
    - matchers: [alertname="Watchdog"]
      receiver: watchdog
      repeat_interval: 5m
receivers:
  - name: watchdog
    webhook_configs: [{url: <the address that complains when it hears nothing>}]"""
"""The way of the alert, which would remind people for ever by any other."""


def _evidence(config: str, alerts: list[AlertRule], receivers: str) -> Evidence:
    first = alerts[0]
    many = len(alerts) > 1
    none = (
        f"None of the {len(alerts)} alerts that {config} loads fires"
        if many
        else (f"The only alert that {config} loads doesn't fire")
    )
    lines = "- alert: Watchdog\n  expr: vector(1)\n  annotations:\n    summary: Fires always; its silence is the alarm."
    return Evidence(
        f"{none} all the time: when Prometheus, Alertmanager or the way to the receiver is down, it looks like a quiet "
        "day.",
        first.location,
        subject=config,
        related=tuple(Related(item.location, f"{item.name} fires on trouble") for item in alerts[1:4]),
        recommendation=f"Add an alert on `vector(1)` to {first.file}, and send it to a dead man's switch elsewhere.",
        example=f"{files.into(first.file, lines)}\n{files.into(receivers, _ROUTE)}",
    )
