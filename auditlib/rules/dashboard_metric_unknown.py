"""A dashboard shows a metric that nothing scraped gives.

The panel says "No data", and after a week nobody looks at it any more. Worse, an empty graph of errors looks like a
healthy system.

Anti-pattern:

    # dashboard.json: "expr": "sum(nginx_connections_active)"
    # prometheus.yml scrapes no exporter of nginx

Better:

    scrape_configs:
      - job_name: nginx
        static_configs: [{targets: ["nginx-exporter:9113"]}]

Recommendation:

    Scrape the exporter that gives the metrics, or remove the panels.

References:

- https://prometheus.io/docs/instrumenting/exporters/
- https://grafana.com/docs/grafana/latest/dashboards/troubleshoot-dashboards/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard, Panel
from auditlib.inventory.monitoring import Query
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules import _metric_lines as metric_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import Gap


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each dashboard, with all panels whose metrics no target of a Prometheus in use gives."""
    configs = monitoring.prometheus_in_use(inventory)
    sources = scraping.all_sources(inventory, graph, configs) if inventory.dashboards else None
    for dashboard in inventory.dashboards:
        asked = [(panel, query) for panel in dashboard.panels for query in panel.queries]
        metrics = [metric for _, query in asked for metric in query.metrics]
        found = scraping.gaps(inventory, sources, metrics)
        if found:
            yield _evidence(inventory, graph, configs[0].file, dashboard, asked, found)
        if unmade := scraping.unmade(inventory, sources, metrics):
            yield _unmade(inventory, dashboard, asked, unmade)


def _unmade(
    inventory: Inventory, dashboard: Dashboard, asked: list[tuple[Panel, Query]], metrics: tuple[str, ...]
) -> Evidence:
    """What panels ask the code of the repository for, and it doesn't make."""
    empty = [(panel, query) for panel, query in asked if not set(metrics).isdisjoint(query.metrics)]
    (panel, query), made = empty[0], inventory.own_metrics[0]
    return Evidence(
        f"{counted(len(empty), 'query', 'queries')} of the dashboard {dashboard.title} "
        f"{'asks' if len(empty) == 1 else 'ask'} for {listed(metrics)}, which no code of the repository makes and no "
        "exporter that is scraped gives by its name, unless a library does.",
        query.location or panel.location,
        subject=f"{dashboard.uid or dashboard.title}/own metrics",
        related=(
            *(
                Related(other.location or place.location, f"the panel {place.title} is empty too", member=True)
                for place, other in empty[1:10]
            ),
            Related(made.location, f"the code makes {made.name} here"),
        ),
        recommendation=f"Have the code give {listed(metrics, limit=2)}, or correct the panels in {dashboard.file}.",
        example=files.into(made.location.file, "\n".join(f"<{metric}, made as {made.name} is>" for metric in metrics)),
    )


def _evidence(
    inventory: Inventory,
    graph: DependencyGraph,
    config: str,
    dashboard: Dashboard,
    asked: list[tuple[Panel, Query]],
    found: list[Gap],
) -> Evidence:
    metrics = [metric for gap in found for metric in gap.metrics]
    empty = [(panel, query) for panel, query in asked if not set(metrics).isdisjoint(query.metrics)]
    sure = any(gap.sure for gap in found)
    givers = listed(gap.exporter.one for gap in found)
    doubt = "" if sure else "; they may be pushed by something that the repository doesn't show"
    panel, query = empty[0]
    first_step, lines = metric_lines.given(inventory, graph, config, [gap.exporter for gap in found])
    return Evidence(
        f"{counted(len(empty), 'query', 'queries')} of the dashboard {dashboard.title} "
        f"{'asks' if len(empty) == 1 else 'ask'} for "
        f"{listed(metrics)}, which {givers} {'gives' if len(found) == 1 else 'give'}, and no target of {config} is "
        f"{'one' if len(found) == 1 else 'any of them'}{doubt}.",
        query.location or panel.location,
        subject=dashboard.uid or dashboard.title,
        related=tuple(
            Related(other.location or place.location, f"the panel {place.title} is empty too", member=True)
            for place, other in empty[1:10]
        ),
        recommendation=f"{first_step}, or remove the panels from {dashboard.file}.",
        confidence=None if sure else Confidence.LOW,
        example=lines,
    )
