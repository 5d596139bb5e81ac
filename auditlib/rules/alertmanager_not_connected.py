"""Prometheus evaluates alerts and doesn't know Alertmanager.

The alerts fire on Prometheus's own page and nowhere else. Without `alerting:` no receiver ever hears of them, however
carefully Alertmanager is configured.

Anti-pattern:

    # prometheus.yml
    rule_files: [rules/*.yml]
    # no alerting: section, though a service alertmanager runs

Better:

    alerting:
      alertmanagers:
        - static_configs:
            - targets: ["alertmanager:9093"]

Recommendation:

    Add the `alerting` section with Alertmanager's address.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config
- https://prometheus.io/docs/alerting/latest/overview/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration in use that knows no Alertmanager, where alerts or an Alertmanager are there to be told."""
    if _evaluated_elsewhere(inventory):
        return
    managers = _managers(inventory)
    files = {alert.file for alert in monitoring.alerts(inventory)}
    loaded = {file: monitoring.loading(inventory, file) for file in files}
    configs = monitoring.prometheus_in_use(inventory)
    idle = bool(managers and files) and not any(loaded.values()) and not any(_is_connected(item) for item in configs)
    for config in configs:
        alerts = [alert for alert in monitoring.alerts(inventory) if idle or config in loaded[alert.file]]
        if _is_connected(config) or monitoring.is_template(config.file) or not alerts:
            continue
        meant = "though Alertmanager is set up" if managers else "and the repository configures none"
        yield Evidence(
            f"{config.file} {'is there for' if idle else 'loads'} {counted(len(alerts), 'alert')} and names no "
            f"Alertmanager, {meant}: nobody is told.",
            config.location,
            subject=config.file,
            related=(
                *(Related(place, "Alertmanager") for place in managers[:3]),
                Related(
                    alerts[0].location,
                    f"{alerts[0].name}, which isn't loaded yet, would fire in silence"
                    if idle
                    else f"{alerts[0].name} would fire in silence",
                ),
            ),
            recommendation=f"Add `alerting` with the address of Alertmanager to {config.file}."
            if managers
            else f"Start an Alertmanager with a receiver, and name it under `alerting` in {config.file}.",
            severity=None if managers else Severity.MEDIUM,
            example=monitoring_lines.alertmanager(inventory, config.file),
        )


def _is_connected(config: PrometheusConfig) -> bool:
    return bool(config.alertmanagers or config.alertmanager_discovery)


def _evaluated_elsewhere(inventory: Inventory) -> bool:
    """Whether a program that takes Alertmanager's address on its command line evaluates the rules."""
    return any(
        any(word in " ".join(service.command) for word in ("-notifier.url", "-alertmanager.url"))
        or "vmalert" in service.image
        for service in inventory.services
    )


def _managers(inventory: Inventory) -> list[Location]:
    running = [item.location for item in services.of_product(inventory, "Alertmanager")]
    return running + [Location(file) for file in dict.fromkeys(item.file for item in inventory.receivers)]
