"""Alerts look at values, and none at whether a target answers.

When a program is down, its metrics are gone. A ratio or a threshold over nothing has no result, so that no alert fires
in the worst case of all.

Anti-pattern:

    rules:
      - alert: HighErrorRate
        expr: sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m])) > 0.05

Better:

      - alert: TargetDown
        expr: up == 0
        for: 2m

Recommendation:

    Add an alert on `up == 0`, and on `absent(up{job="…"})` where targets are discovered.

References:

- https://prometheus.io/docs/concepts/jobs_instances/#automatically-generated-labels-and-time-series
- https://prometheus.io/docs/practices/alerting/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_NOTICES = regex(
    r"\bup\b|\w_up\b|\bup_|absent|\bprobe_|last_seen|last_scrape|last_push|kube_|health|_status\b|_alive|unless|"
    r"or\s+vector|count\s*(?:by|without|\()|scrape_|time\(\)|instance_info|\bALERTS|\{\{"
)
"""Signs in an expression that it may tell of something that is gone."""

_SEVERITIES = ("critical", "page", "disaster", "error", "high", "warning")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each Prometheus in use whose alerts are all known and notice no target that is gone."""
    if deployment.leaves_compose(inventory):
        return
    for config in monitoring.prometheus_in_use(inventory):
        jobs = [job for job in inventory.scrape_jobs if job.file == config.file]
        loaded = monitoring.all_alerts(inventory, config)
        alerts = [item for item in loaded if item.query.metrics]  # what always fires is a test of the way
        noticing = any(_NOTICES.search(item.query.expression) or item.query.error for item in inventory.alert_rules)
        if jobs and alerts and not noticing:
            yield _evidence(config.file, alerts)


def _evidence(config: str, alerts: list[AlertRule]) -> Evidence:
    first, *others = alerts
    return Evidence(
        f"{config} loads {counted(len(alerts), 'alert')}, and none fires when a target stops answering: where there "
        "are no values, no threshold is passed.",
        first.location,
        subject=config,
        related=tuple(Related(item.location, f"{item.name} looks at values", member=True) for item in others[:10]),
        recommendation=f"Add an alert on `up == 0` to {first.file}.",
        example=files.into(first.file, monitoring_lines.TARGET_DOWN.replace("critical", _worst(alerts))),
    )


def _worst(alerts: list[AlertRule]) -> str:
    """The value of `severity` that means most among those that the alerts carry."""
    used = [value for item in alerts for name, value in item.labels if name == "severity" and "{" not in value]
    return next((value for value in _SEVERITIES if value in used), next(iter(used), _SEVERITIES[0]))
