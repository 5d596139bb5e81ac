"""No alert looks at the space on the disk that the data lie on.

A full disk stops a database, a broker and Prometheus itself at once, and it comes slowly enough to be seen days ahead.
Alerts on the services tell of it only when they have stopped.

Anti-pattern:

    # prometheus.yml scrapes postgres-exporter; rules.yml:
    - alert: DatabaseDown
      expr: pg_up == 0

Better:

    # prometheus.yml scrapes node-exporter as well; rules.yml:
    - alert: DiskAlmostFull
      expr: node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes < 0.1
      for: 15m

Recommendation:

    Scrape a node exporter that sees the host's file systems, and alert before the last tenth of the space is used.

References:

- https://github.com/prometheus/node_exporter#docker
- https://www.postgresql.org/docs/current/disk-full.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import deployment, environments, kept_data, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, PrometheusConfig
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import MetricSource

_SPACE = regex(r"filesystem|disk|storage|volume|(?<!key)(?<!name)space|_size|_fs_|free_bytes|bytes_free|\{\{", re.I)
"""Signs in an expression that it may ask for space."""
_OTHERS = regex(
    r"netdata|beszel|glances|uptime|datadog|newrelic|zabbix|checkmk|telegraf|collectd|scrutiny|alloy|otel|"
    r"opentelemetry|vector|grafana/agent|fluent",
    re.I,
)
"""Images of programs that may watch disks by themselves, or send what they measure."""
_ALERT = """groups:
  - name: disk
    rules:
      - alert: DiskAlmostFull
        expr: {expression}
        for: 15m
        labels: {{severity: critical}}
        annotations: {{summary: "a disk of {{{{ $labels.instance }}}} has less than a tenth of its space left"}}"""
_USUAL = "node exporter"
_OF_EXPORTER = {
    _USUAL: ("node_filesystem_avail_bytes",
             'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay"} / node_filesystem_size_bytes < 0.1'),
    "Windows exporter": ("windows_logical_disk_free_bytes",
                         "windows_logical_disk_free_bytes / windows_logical_disk_size_bytes < 0.1"),
    "cAdvisor": ("container_fs_usage_bytes",
                 'container_fs_usage_bytes{id="/"} / container_fs_limit_bytes{id="/"} > 0.9'),
}  # fmt: skip
"""By exporter what it tells of the host's disks, and when these are nearly full."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each Prometheus whose alerts are known and ask for no space, where a service keeps data."""
    if deployment.leaves_compose(inventory) or _may_be_watched(inventory):
        return
    kept = _kept(inventory)
    for config in monitoring.prometheus_in_use(inventory) if kept else ():
        jobs = monitoring.jobs(inventory, (config,))
        alerts = monitoring.all_alerts(inventory, config)
        sources = list(scraping.sources(inventory, graph, jobs))
        elsewhere = config.remote_write or any(map(scraping.is_open, jobs)) or any(item.foreign for item in sources)
        if alerts and sources and not elsewhere:
            hosts = [item for item in sources if item.exporter and item.exporter.name in _OF_EXPORTER]
            hosts.sort(key=lambda item: item.exporter is not None and item.exporter.name != _USUAL)
            yield _evidence(inventory, config, alerts, kept, hosts[0] if hosts else None)


def _kept(inventory: Inventory) -> list[Service]:
    """The services that keep data on the host: the databases, or else what keeps metrics and logs."""
    projects = inventory.deployed_projects
    found = [item for project in projects for item in kept_data.stores(inventory, project)]
    found = [item for item in found if item[1].kind in services.DATASTORES]
    found = found or [item for project in projects for item in kept_data.monitoring_data(inventory, project)]
    found = [item for item in found if not environments.is_for_developers(inventory, item[0])]
    return list({service.key: service for service, _, _ in found}.values())


def _may_be_watched(inventory: Inventory) -> bool:
    """Whether an expression, another program or a script may look at the space."""
    programs = {item.words[0] for script in inventory.scripts for item in script.commands if item.words}
    return (
        "df" in programs
        or any(_SPACE.search(rule.query.expression) for rule in inventory.alert_rules)
        or any(_may_measure(inventory, service) for service in inventory.services)
    )


def _may_measure(inventory: Inventory, service: Service) -> bool:
    """Whether a program may watch the disks; the collector does so by a receiver alone, which its settings name."""
    if not _OTHERS.search(service.image):
        return False
    parts = [item for item in inventory.collector_parts if service in monitoring.runners(inventory, item.location.file)]
    return not parts or any(item.kind == "hostmetrics" for item in parts)


def _evidence(
    inventory: Inventory, config: PrometheusConfig, alerts: list[AlertRule], kept: list[Service],
    host: MetricSource | None,
) -> Evidence:  # fmt: skip
    names = listed(service.name for service in kept)
    metric, expression = _OF_EXPORTER[host.exporter.name if host and host.exporter else _USUAL]
    alert = _ALERT.format(expression=expression)
    step = "Add " if host else f"Add a node exporter to {config.file}, and "
    silent = f"nobody is told before {names} can no longer write"
    if host is None:
        what = f"No job of {config.file} scrapes what measures the disks of the host"
        message = f"{what}, and no alert asks for space: unless the host is watched from elsewhere, {silent}."
    else:
        what = f"{host.target.host} measures the disks of the host"
        message = f"{what}, and no alert of {config.file} asks for space: {silent}."
    return Evidence(
        message,
        alerts[0].location,
        subject=config.file,
        related=(
            *((Related(host.job.location, f"{host.job.name} is scraped"),) if host else ()),
            *(Related(service.location, f"{service.name} keeps its data on the disk") for service in kept),
        ),
        recommendation=f"{step}an alert on `{metric}` to {alerts[0].file}.",
        severity=Severity.LOW if services.is_watching(inventory, kept[0]) else None,
        confidence=Confidence.HIGH if host else None,
        example="\n".join((files.into(alerts[0].file, alert), *(() if host else _exporter(inventory, config)))),
    )


def _exporter(inventory: Inventory, config: PrometheusConfig) -> Iterator[str]:
    """The job of a node exporter, and where Compose runs Prometheus the exporter with what shows it the host."""
    yield files.into(config.file, monitoring_lines.job("node-exporter", "node-exporter:9100"))
    runners = monitoring.runners(inventory, config.file)
    if runners:
        lines = compose_lines.new_service(inventory, "node-exporter", runners)
        yield files.into(runners[0].location.file, lines)
