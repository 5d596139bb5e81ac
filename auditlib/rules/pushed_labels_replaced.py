"""Prometheus replaces the labels of what was pushed to a gateway.

Whoever pushes metrics says by `job` and `instance` what they are of. Without `honor_labels` Prometheus puts the
gateway's own in their place and keeps the others as `exported_job`: an alert or a panel that asks for the job finds
nothing, and metrics of several jobs look like one program's.

Anti-pattern:

    - job_name: pushgateway
      static_configs: [{targets: ["pushgateway:9091"]}]

Better:

    - job_name: pushgateway
      honor_labels: true
      static_configs: [{targets: ["pushgateway:9091"]}]

Recommendation:

    Set `honor_labels: true` for jobs that scrape a Pushgateway or another Prometheus.

References:

- https://github.com/prometheus/pushgateway#configure-the-pushgateway-as-a-target-to-scrape
- https://prometheus.io/docs/prometheus/latest/federation/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import exporters, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import ScrapeJob
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_at

_GATEWAY = "Pushgateway"


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that scrapes a Pushgateway, or what another Prometheus has, and keeps its own labels."""
    for job in inventory.scrape_jobs:
        if job.honors_labels or job.relabels or monitoring.is_template(job.file):
            continue
        if job.metrics_path == "/federate":
            yield _evidence(job, "what another Prometheus has collected")
        elif any(_is_gateway(inventory, graph, job, index) for index in range(len(job.targets))):
            yield _evidence(job, "a Pushgateway")


def _is_gateway(inventory: Inventory, graph: DependencyGraph, job: ScrapeJob, index: int) -> bool:
    target = job.targets[index]
    service = service_at(inventory, graph, job, target) if "push" in target.host or target.port == "9091" else None
    found = exporters.of_image(service.image) if service else None
    return found is not None and found.name == _GATEWAY


def _evidence(job: ScrapeJob, what: str) -> Evidence:
    return Evidence(
        f"The job {job.name} of {job.file} scrapes {what} without `honor_labels`: the labels `job` and `instance` that "
        "were sent become `exported_job` and `exported_instance`.",
        job.location,
        subject=f"{job.file}/{job.name}",
        recommendation=f"Set `honor_labels: true` for the job {job.name}.",
        example=files.into(job.file, f"- job_name: {job.name}\n  honor_labels: true"),
    )
