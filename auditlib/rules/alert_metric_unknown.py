"""An alert looks at a metric that nothing scraped gives.

An expression over a metric that doesn't exist is empty, and an alert on an empty result never fires. Nothing reports
that: the rule is loaded, evaluated, and silent in the outage that it was written for. Known are the metrics of
well-known exporters by their prefixes, those of recording rules by their colons, and those of applications where all
code is here and spells the names of its metrics.

Anti-pattern:

    # rules.yml
    - alert: DiskFull
      expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1
    # prometheus.yml has no job that scrapes a node exporter

Better:

    scrape_configs:
      - job_name: node
        static_configs: [{targets: ["node-exporter:9100"]}]

Recommendation:

    Scrape the exporter that gives the metric, or rewrite or remove the alert.

References:

- https://prometheus.io/docs/instrumenting/exporters/
- https://prometheus.io/docs/practices/naming/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _metric_lines as metric_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import Gap, MetricSource

_RECORDED = "groups:\n  - name: recorded\n    rules:\n      - record: {}\n        expr: <its expression>"


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each rule file one finding for every kind of exporter that is missing, and one for what no code makes."""
    by_file: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for item in inventory.alert_rules:
        by_file[item.file].append(item)
    known: dict[tuple[str, ...], list[MetricSource] | None] = {}
    for file, rules in by_file.items():
        configs = monitoring.loading(inventory, file) or monitoring.prometheus_in_use(inventory)
        key = tuple(config.file for config in configs)
        if key not in known:
            known[key] = scraping.all_sources(inventory, graph, configs)
        metrics = [metric for item in rules for metric in item.query.metrics]
        for gap in scraping.gaps(inventory, known[key], metrics):
            users = [item for item in rules if not set(gap.metrics).isdisjoint(item.query.metrics)]
            if gap.exporter.lacks and all(map(gap.exporter.never_gives, gap.metrics)):
                yield _mistaken(configs[0].file, gap, users)
            else:
                yield _evidence(inventory, graph, configs[0].file, gap, users)
        if configs and (unmade := scraping.unmade(inventory, known[key], metrics)):
            yield _unmade(inventory, unmade, [item for item in rules if not set(unmade).isdisjoint(item.query.metrics)])
        for metric in scraping.unrecorded(inventory, configs, metrics):
            yield _unrecorded(metric, [item for item in rules if metric in item.query.metrics])


def _evidence(inventory: Inventory, graph: DependencyGraph, config: str, gap: Gap, users: list[AlertRule]) -> Evidence:
    doubt = "" if gap.sure else "; it may be pushed by something that the repository doesn't show"
    names = listed(item.name for item in users)
    strange = [item for item in gap.metrics if gap.exporter.never_gives(item)]
    others = f"; {listed(strange)} it doesn't give without a module or logs that are read" if strange else ""
    lost = listed(item.name for item in users if not set(strange).isdisjoint(item.query.metrics)) or names
    first_step, lines = metric_lines.given(inventory, graph, config, [gap.exporter])
    return Evidence(
        f"{names} {'looks' if len(users) == 1 else 'look'} at {listed(gap.metrics)}, which "
        f"{gap.exporter.one} gives, and no target of {config} is one{others}{doubt}.",
        users[0].expression_location,
        subject=f"{gap.exporter.name}",
        related=tuple(Related(item.expression_location, f"{item.name} does too", member=True) for item in users[1:]),
        recommendation=f"{first_step}, {'and' if strange else 'or'} rewrite {lost}.",
        severity=None if gap.sure else Severity.MEDIUM,
        confidence=None if gap.sure else Confidence.LOW,
        example=lines,
    )


def _mistaken(config: str, gap: Gap, users: list[AlertRule]) -> Evidence:
    """Metrics that scraping the exporter wouldn't give either."""
    names = listed(item.name for item in users)
    return Evidence(
        f"{names} {'looks' if len(users) == 1 else 'look'} at {listed(gap.metrics)}: that is {gap.exporter.name}'s by "
        f"its name, no release of it has such a metric, and no target of {config} is one.",
        users[0].expression_location,
        subject=f"{gap.exporter.name}",
        related=tuple(Related(item.expression_location, f"{item.name} does too", member=True) for item in users[1:]),
        recommendation=f"Rewrite {names} with a metric that {gap.exporter.name} has, and scrape it.",
        example=files.into(users[0].file, 'expr: changes(container_start_time_seconds{name!=""}[15m]) > 0'),
    )


def _unmade(inventory: Inventory, metrics: tuple[str, ...], users: list[AlertRule]) -> Evidence:
    names = listed(item.name for item in users)
    first = inventory.own_metrics[0]
    return Evidence(
        f"{names} {'looks' if len(users) == 1 else 'look'} at {listed(metrics)}, which no code of the repository makes "
        "and no exporter that is scraped gives by its name: there are no such series, unless a library gives them.",
        users[0].expression_location,
        subject="own metrics",
        related=(
            *(Related(item.expression_location, f"{item.name} does too", member=True) for item in users[1:]),
            Related(first.location, f"the code makes {first.name} here"),
        ),
        recommendation=f"Have the code give {listed(metrics, limit=2)}, or correct "
        f"{listed((item.name for item in users), limit=2)}.",
        severity=Severity.MEDIUM,
        example=files.into(
            first.location.file, "\n".join(f"<{metric}, made as {first.name} is>" for metric in metrics)
        ),
    )


def _unrecorded(metric: str, users: list[AlertRule]) -> Evidence:
    names = listed(item.name for item in users)
    return Evidence(
        f"{names} {'looks' if len(users) == 1 else 'look'} at {metric}, by its name what a rule records, and no rule "
        "file of the repository has such a rule.",
        users[0].expression_location,
        subject=metric,
        related=tuple(Related(item.expression_location, f"{item.name} does too") for item in users[1:]),
        recommendation=f"Add a recording rule {metric}, or correct its name in {names}.",
        example=files.into(users[0].file, _RECORDED.format(metric)),
    )
