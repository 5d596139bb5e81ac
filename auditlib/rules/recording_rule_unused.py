"""Prometheus records series that nothing reads.

A recording rule is evaluated again and again and stored as any other series. Where no alert and no dashboard asks for
the result, the work is for nothing; often the alert for which it was made was never written.

Anti-pattern:

    - record: disk_full_in_days
      expr: node_filesystem_free_bytes / disk_used_per_day
    # no alert, no panel with disk_full_in_days

Better:

    - alert: DiskFullSoon
      expr: disk_full_in_days < 7

Recommendation:

    Write the alert or the panel that the series was meant for, or remove the rule.

References:

- https://prometheus.io/docs/practices/rules/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, Query
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all series that no rule and no dashboard reads, where the repository has dashboards."""
    queries = list(_queries(inventory))
    kept = any(config.remote_write for config in inventory.prometheus) or _is_federated(inventory)
    if not inventory.dashboards or kept or any(query.error for query in queries):
        return
    read = {name for query in queries for name in query.metrics}
    idle = [
        item
        for item in inventory.alert_rules
        if item.kind == "record" and item.name not in read
        if monitoring.loading(inventory, item.file) and not monitoring.is_template(item.file)
    ]
    if idle:
        yield _evidence(idle)


def _queries(inventory: Inventory) -> Iterator[Query]:
    """What rules, panels and the variables of dashboards ask for."""
    yield from (item.query for item in monitoring.asking(inventory))
    yield from (item.query for board in inventory.dashboards for item in board.variables if item.query)


def _is_federated(inventory: Inventory) -> bool:
    """Whether another Prometheus takes series from one of these."""
    return any(job.metrics_path == "/federate" for job in inventory.scrape_jobs)


def _evidence(records: list[AlertRule]) -> Evidence:
    first, *others = records
    names = listed(item.name for item in records)
    places = listed(item.file for item in records)
    return Evidence(
        f"{places} {'records' if first.file == records[-1].file else 'record'} {names}, which no rule and no dashboard "
        f"of the repository reads, unless somebody asks for {'it' if not others else 'them'} by hand.",
        first.location,
        subject="unread records",
        related=tuple(Related(item.location, f"{item.name} isn't read either", member=True) for item in others[:20]),
        recommendation=f"Write the alert or the panel that {first.name} was meant for, or remove it from {first.file}.",
        example=files.into(first.file, f"- alert: <what it tells of>\n  expr: {first.name} > <a limit>"),
    )
