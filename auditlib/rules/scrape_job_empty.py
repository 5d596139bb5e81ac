"""A scrape job has no target.

The job is there, so that whoever reads the configuration believes that something is watched. No target also means no
`up`, so that no alert tells of it.

Anti-pattern:

    - job_name: internal-services
      metrics_path: /probe
      static_configs:
        - targets: []

Better:

    - job_name: internal-services
      metrics_path: /probe
      static_configs:
        - targets: ["http://api:8000/health"]

Recommendation:

    Name the targets, or remove the job.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#static_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that neither names a target nor says how to find any."""
    for job in inventory.scrape_jobs:
        found = job.targets or job.discovery or job.discovery_files
        if found or not job.name or monitoring.is_template(job.file, job.name):
            continue
        yield Evidence(
            f"The job {job.name} names no target and no way to find any: it watches nothing.",
            job.location,
            subject=job.name,
            recommendation=f"Name the targets of {job.name} in {job.file}, or remove the job.",
            example=files.into(job.file, monitoring_lines.job(job.name, "<host>:<port>")),
        )
