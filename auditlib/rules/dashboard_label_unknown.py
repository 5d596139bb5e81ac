"""A dashboard selects by a label that nothing collected has.

A query for a job that isn't configured gives nothing, and the panel stays empty without a word. The same happens to
dashboards made for Kubernetes: cAdvisor beside plain Docker knows containers by `name`, and gives no `container`, `pod`
or `namespace`.

Anti-pattern:

    # cAdvisor runs as a service of Compose
    "expr": "sum by (container) (rate(container_cpu_usage_seconds_total{container!=\\"\\"}[5m]))"

Better:

    "expr": "sum by (name) (rate(container_cpu_usage_seconds_total{name!=\\"\\"}[5m]))"

Recommendation:

    Select by the labels that the targets have; Prometheus shows them under Status, Targets.

References:

- https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
- https://prometheus.io/docs/concepts/jobs_instances/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import deployment, exporters, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard, Panel
from auditlib.inventory.monitoring import LabelMatcher, Query, ScrapeJob
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_OF_KUBERNETES = frozenset({"container", "pod", "namespace"})
"""Labels that the kubelet adds to what its cAdvisor gives."""
_OF_TRACES = ("traces_", "calls_total", "duration_milliseconds")
"""Metrics that a collector or Tempo makes of traces and sends."""
_Uses = dict[LabelMatcher, list[tuple[Panel, Query]]]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Of each dashboard the jobs, and the labels of containers, that its queries select and that nothing has."""
    jobs = monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory))
    open_ended = any(job.relabels or job.honors_labels or scraping.is_open(job) for job in jobs)
    if not jobs or open_ended or any(map(_takes_more, inventory.services)):
        return
    names = {job.name for job in jobs} | {value for job in jobs for name, value in job.labels if name == "job"}
    given = {name for job in jobs for name, _ in job.labels}
    for dashboard in inventory.dashboards:
        for matcher, uses in _uses(dashboard).items():
            if matcher.name == "job" and not any(monitoring.takes(matcher, name) for name in names):
                reason = f"no job of {jobs[0].file} is called so; there are {listed(sorted(names), limit=10)}"
                yield _evidence(dashboard, matcher, uses, reason, jobs)
            elif matcher.name in _OF_KUBERNETES - given and _is_of_docker(inventory, uses):
                yield _evidence(dashboard, matcher, uses, "cAdvisor gives no such label on plain Docker", jobs)


def _takes_more(service: Service) -> bool:
    """Whether a Prometheus takes metrics that others send, with labels of theirs."""
    return any(mark in word for word in service.command for mark in ("remote-write-receiver", "otlp", "agent"))


def _uses(dashboard: Dashboard) -> _Uses:
    """The matchers that an absent label doesn't fulfil and that hold no variable, with the queries that have them."""
    found: defaultdict[LabelMatcher, list[tuple[Panel, Query]]] = defaultdict(list)
    for panel in dashboard.panels:
        for query in panel.queries:
            if any(metric.startswith(_OF_TRACES) for metric in query.metrics):
                continue
            for matcher in dict.fromkeys(query.matchers):
                if "$" not in matcher.value and "[[" not in matcher.value and not monitoring.takes(matcher, ""):
                    found[matcher].append((panel, query))
    return found


def _is_of_docker(inventory: Inventory, uses: list[tuple[Panel, Query]]) -> bool:
    """Whether all metrics asked for are of containers, and a service of Compose is the cAdvisor that gives them."""
    kinds = {exporters.of_metric(metric) for _, query in uses for metric in query.metrics}
    runs = {exporters.of_image(service.image) for service in inventory.distinct_services}
    only = {kind.name if kind else "" for kind in kinds} == {"cAdvisor"}
    return only and bool(kinds & runs) and not deployment.uses_orchestrator(inventory)


def _corrected(query: Query, matcher: LabelMatcher, written: str, jobs: tuple[ScrapeJob, ...]) -> str:
    """The query with the label that plain Docker has, or with a place for the job that is meant."""
    expression = " ".join(query.expression.split())
    if matcher.name in ("container", "pod"):
        return re.sub(rf"\b{matcher.name}\b", "name", expression)
    wanted = f'job="<one of {listed(job.name for job in jobs)}>"' if matcher.name == "job" else 'name!=""'
    return expression.replace(written, wanted) if written in expression else wanted


def _evidence(
    dashboard: Dashboard,
    matcher: LabelMatcher,
    uses: list[tuple[Panel, Query]],
    reason: str,
    jobs: tuple[ScrapeJob, ...],
) -> Evidence:
    written = f'{matcher.name}{matcher.operator}"{matcher.value}"'
    (panel, query), *others = uses
    return Evidence(
        f"{counted(len(uses), 'query', 'queries')} of the dashboard {dashboard.title} "
        f"{'selects' if not others else 'select'} {written}, but {reason}.",
        query.location or panel.location,
        subject=f"{dashboard.uid or dashboard.title}/{written}",
        related=(
            *(Related(other.location or place.location, f"the panel {place.title} does too", member=True)
              for place, other in others[:10]),
            *(Related(job.location, f"the job {job.name}") for job in jobs[:4]),
        ),
        recommendation=f"Correct {written} in {dashboard.file}.",
        example=_corrected(query, matcher, written, jobs),
    )  # fmt: skip
