"""Tables of Prometheus, Alertmanager and Grafana."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from auditlib.tables._facts import Facts, Row, at, joined
from auditlib.tables._graph import Edge


def scrape_targets(facts: Facts) -> Iterator[Row]:
    """A row for each target of each scrape job."""
    for job in facts.inventory.scrape_jobs:
        base = {"job": job.name, "path": job.metrics_path, "scheme": job.scheme, "discovery": joined(job.discovery)}
        for target in job.targets:
            service = facts.graph.resolve(target.host, target.port, job.file)
            found = {"service": facts.name(service), "resolved": service is not None}
            yield {**base, "host": target.host, "port": target.port, **found, **at(target.location)}
        if not job.targets:
            yield {**base, "resolved": False, **at(job.location)}


def alert_rules(facts: Facts) -> Iterator[Row]:
    """A row for each alerting and recording rule."""
    jobs = _targets(facts, facts.graph.edges_of("alerts_on"))
    receivers = _targets(facts, facts.graph.edges_of("routes_to"))
    for rule in facts.inventory.alert_rules:
        labels, annotations = dict(rule.labels), dict(rule.annotations)
        node = facts.graph.declared("alert_rule", rule.file, rule.name) if rule.kind == "alert" else None
        yield {
            "group": rule.group,
            "rule": rule.name,
            "kind": rule.kind,
            "expression": rule.query.expression,
            "duration": rule.duration,
            "severity": labels.get("severity", ""),
            "metrics": joined(rule.query.metrics),
            "jobs": joined(jobs.get(node or "", ())),
            "receivers": joined(receivers.get(node or "", ())),
            "runbook": annotations.get("runbook_url") or annotations.get("runbook", ""),
            "error": rule.query.error,
            **at(rule.location),
        }


def _targets(facts: Facts, edges: Iterable[Edge]) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    for edge in edges:
        found.setdefault(edge.source, {})[facts.name(edge.target)] = None
    return found


def receivers(facts: Facts) -> Iterator[Row]:
    """A row for each integration of each receiver."""
    routes = Counter((route.file, route.receiver) for route in facts.inventory.alert_routes)
    for receiver in facts.inventory.receivers:
        base = {"receiver": receiver.name, "routes": routes[receiver.file, receiver.name]}
        for item in receiver.integrations:
            shown = {"kind": item.kind, "host": item.host, "endpoint": item.endpoint, "placeholder": item.placeholder}
            yield {**base, **shown, **at(item.location)}
        if not receiver.integrations:
            yield {**base, **at(receiver.location)}


def datasources(facts: Facts) -> Iterator[Row]:
    """A row for each data source."""
    services = _targets(facts, facts.graph.edges_of("queries"))
    for item in facts.inventory.datasources:
        node = facts.graph.declared("datasource", item.file, item.name) or ""
        yield {
            "datasource": item.name,
            "type": item.type,
            "uid": item.uid,
            "url": item.url,
            "default": item.default,
            "service": joined(services.get(node, ())),
            **at(item.location),
        }


def dashboards(facts: Facts) -> Iterator[Row]:
    """A row for each panel of each dashboard."""
    for dashboard in facts.inventory.dashboards:
        base = {"dashboard": dashboard.title, "uid": dashboard.uid}
        for panel in dashboard.panels:
            yield {
                **base,
                "panel": panel.title,
                "datasource": panel.datasource,
                "queries": len(panel.queries),
                "metrics": joined(dict.fromkeys(metric for query in panel.queries for metric in query.metrics)),
                "error": joined(query.error for query in panel.queries if query.error),
                **at(panel.location),
            }
        if not dashboard.panels:
            yield {**base, "queries": 0, **at(dashboard.location)}
