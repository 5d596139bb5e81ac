"""Prometheus is told to wait longer for an answer than until the next scrape.

It refuses a configuration in which `scrape_timeout` is greater than `scrape_interval`: it doesn't start, or a reload
fails and the old configuration stays.

Anti-pattern:

    global: {scrape_interval: 15s}
    scrape_configs:
      - {job_name: slow, scrape_timeout: 30s, static_configs: [{targets: ["slow:9100"]}]}

Better:

    scrape_configs:
      - job_name: slow
        scrape_interval: 60s
        scrape_timeout: 30s

Recommendation:

    Set `scrape_interval` of the job to at least its `scrape_timeout`.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PathPattern
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.readers.nodes import seconds
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The global settings, and each job, whose timeout is greater than the time from one scrape to the next."""
    intervals = {config.file: config.interval for config in inventory.prometheus}
    asked = [(item.file, "", item.timeout, item.interval) for item in inventory.prometheus]
    asked += [
        (job.file, job.name, job.timeout, job.interval or intervals.get(job.file, 0)) for job in inventory.scrape_jobs
    ]
    for file, name, timeout, interval in asked:
        if timeout and interval and _is_longer(timeout, interval) and not _is_shortened(inventory, file):
            yield _evidence(file, name, timeout, interval)


def _is_longer(timeout: PathPattern, interval: float) -> bool:
    return seconds(timeout.path) > interval and not monitoring.is_template(timeout.location.file)


def _is_shortened(inventory: Inventory, file: str) -> bool:
    """Whether VictoriaMetrics alone reads a file, which waits until the next scrape at most."""
    running = monitoring.runners(inventory, file)
    return bool(running) and all("victoriametrics/" in service.image for service in running)


def _evidence(file: str, job: str, timeout: PathPattern, interval: float) -> Evidence:
    whose = f"The job {job} of {file}" if job else f"The global settings of {file}"
    what = f"the job {job}" if job else "the global settings"
    place = f"- job_name: {job}\n  " if job else "global:\n  "
    return Evidence(
        f"{whose} may wait {timeout.path} for an answer, and the next scrape is due after {interval:g} s: Prometheus "
        "refuses the whole configuration.",
        timeout.location,
        subject=f"{file}/{job or 'global'}",
        recommendation=f"Set `scrape_interval` of {what} to {timeout.path} or more, or lower `scrape_timeout`.",
        example=files.into(file, f"{place}scrape_interval: {timeout.path}"),
    )
