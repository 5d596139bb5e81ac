"""A document asks for metrics that nothing gives.

Its queries and alerts look ready to use. Whoever enters them gets an empty graph, or an alert that never fires, since
no exporter of that kind is scraped.

Anti-pattern:

    # docs/monitoring.md: alert on container_memory_usage_bytes
    # prometheus.yml scrapes the application alone

Better:

    services:
      cadvisor: {image: "gcr.io/cadvisor/cadvisor:v0.49.1"}      # and a job that scrapes it

Recommendation:

    Scrape the exporter that the document counts on, or take the queries out of it.

References:

- https://prometheus.io/docs/instrumenting/exporters/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Document, Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _metric_lines as metric_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import Gap


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every document that names metrics of an exporter which no Prometheus in use scrapes, and not the exporter."""
    configs = monitoring.prometheus_in_use(inventory)
    asking = [(document, asked) for document in inventory.documents if (asked := _metrics(document))] if configs else []
    sources = scraping.all_sources(inventory, graph, configs) if asking else None
    for document, asked in asking:
        found = scraping.gaps(inventory, sources, [item.text for item in asked])
        missing = [gap for gap in found if gap.sure and not _speaks_of(document, gap)]
        if missing:
            yield _evidence(inventory, graph, configs[0].file, asked, missing)


def _metrics(document: Document) -> list[Mention]:
    """The metrics that a document names, unless it is for development."""
    aside = environments.is_for_development(document.path)
    return [item for item in document.mentions if item.kind == "metric" and not aside]


def _speaks_of(document: Document, gap: Gap) -> bool:
    """Whether a document names the exporter itself, and so may tell to add it."""
    return gap.exporter.name.lower().split()[-1] in document.words


def _evidence(
    inventory: Inventory, graph: DependencyGraph, config: str, asked: list[Mention], missing: list[Gap]
) -> Evidence:
    metrics = [metric for gap in missing for metric in gap.metrics]
    first, *others = [item for item in asked if item.text in metrics]
    step, lines = metric_lines.given(inventory, graph, config, [gap.exporter for gap in missing])
    return Evidence(
        f"{first.location.file} asks for {listed(metrics)}, which {listed(gap.exporter.one for gap in missing)} "
        f"{'gives' if len(missing) == 1 else 'give'}; {config} scrapes none, so that the query is empty.",
        first.location,
        subject=f"{first.location.file}/metrics",
        related=tuple(Related(item.location, f"{item.text} is asked for", member=True) for item in others[:10]),
        recommendation=f"{step}, or take the queries out of {first.location.file}.",
        example=lines,
    )
