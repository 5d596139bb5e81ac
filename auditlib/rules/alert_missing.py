"""Prometheus collects metrics, and nothing alerts on them.

Somebody has to look at the dashboards at the right moment to see that a service is down. Without one alerting rule the
users are the first to know, and the metrics only explain afterwards what went wrong.

Anti-pattern:

    # prometheus.yml
    scrape_configs:
      - job_name: api
        static_configs: [{ targets: ["api:8000"] }]
    # no rule_files

Better:

    rule_files: [rules.yml]
    # rules.yml
    groups:
      - name: availability
        rules:
          - alert: TargetDown
            expr: up == 0
            for: 5m

Recommendation:

    Begin with two alerts, that a target is down and that requests fail, and let Alertmanager or Grafana tell somebody.

References:

- https://prometheus.io/docs/practices/alerting/
- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
- https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from auditlib import scraping
from auditlib.conventions import deployment, environments, monitoring, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig, ScrapeJob, Target
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_ALERTS = regex(r"(?:^|[/._-])alert(?:s|ing)?(?:[/._-]|rules).*\.(?:ya?ml|json|rules|tf|libsonnet|jsonnet)$", re.I)
"""Files that may hold alerts in a form that isn't read, Grafana's own among them."""
_OTHERS = regex(r"vmalert|thanos|mimir|cortex|uptime-kuma|gatus|healthchecks|sensu|zabbix|netdata|signoz|datadog", re.I)
"""Images of programs that alert by themselves."""


_VANISHING = frozenset({"dns_sd_configs", "docker_sd_configs"})
_GONE = """
      - alert: NoTarget
        expr: absent(up{{job="{name}"}})   # what isn't found any more isn't down
        for: 2m
        labels: {{severity: critical}}"""

_ANSWERS = {"PostgreSQL exporter": "pg_up", "MySQL exporter": "mysql_up", "Redis exporter": "redis_up"}
"""By exporter the metric that is 0 when the server behind it doesn't answer; the exporter itself is up then."""
_SILENT = """
      - alert: StoreDown
        expr: {metric} == 0   # its exporter is up, and the server behind it doesn't answer
        for: 2m
        labels: {{severity: critical}}"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration that a service runs with and that collects metrics of services, if no file alerts on any."""
    if _may_alert_elsewhere(inventory):
        return
    for config in inventory.prometheus:
        if config.remote_write or not _runs(inventory, config) or _loads_unknown_rules(inventory, config):
            continue
        jobs = monitoring.jobs(inventory, (config,))
        behind = _behind_exporters(inventory, graph, jobs)
        seen = scraping.watched(inventory, graph, jobs) | behind.keys()
        watched = [item for item in inventory.distinct_services if item.key in seen and _serves(inventory, item)]
        if watched:
            metrics = sorted(set(behind.values()))
            yield _evidence(inventory, config, watched, metrics, deployment.uses_orchestrator(inventory))
        elif config.alertmanagers:
            yield _of_idle(inventory, config, config.alertmanagers[0])


def _of_idle(inventory: Inventory, config: PrometheusConfig, receiver: Target) -> Evidence:
    """Of a monitoring of hosts alone, whose Alertmanager says that alerts are meant to be sent."""
    return Evidence(
        f"{config.file} sends alerts to {receiver.host}, and no rule makes any: nothing is ever sent, whatever becomes "
        "of what it collects.",
        receiver.location,
        subject=config.file,
        recommendation=f"Add a rule file with `up == 0` to `rule_files` of {config.file}.",
        confidence=Confidence.HIGH,
        example=_alert(inventory, config, "what is down"),
    )


def _may_alert_elsewhere(inventory: Inventory) -> bool:
    return (
        bool(monitoring.alerts(inventory))
        or any(_ALERTS.search(path) for path in inventory.files)
        or any(_OTHERS.search(service.image) for service in inventory.services)
    )


def _runs(inventory: Inventory, config: PrometheusConfig) -> bool:
    """Whether a service runs with the configuration elsewhere than on a developer's machine."""
    runners = monitoring.runners(inventory, config.file)
    return not all(environments.is_for_developers(inventory, item) for item in runners)


def _loads_unknown_rules(inventory: Inventory, config: PrometheusConfig) -> bool:
    """Whether `rule_files` names what the repository doesn't hold, and what a deployment may bring."""
    return not all(
        any(fnmatchcase(file, pattern) for file in inventory.files)
        for pattern in monitoring.rule_patterns(inventory, config)
    )


def _behind_exporters(inventory: Inventory, graph: DependencyGraph, jobs: Iterable[ScrapeJob]) -> dict[str, str]:
    """The metrics by which exporters say that a datastore answers, by the key of each that they hold an address of."""
    found = {}
    for source in scraping.sources(inventory, graph, jobs):
        metric = _ANSWERS.get(source.exporter.name) if source.exporter else None
        for peer in scraping.peers(inventory, graph, source.service) if metric and source.service else ():
            if metric and services.is_datastore(inventory, peer):
                found[peer.key] = metric
    return found


def _serves(inventory: Inventory, service: Service) -> bool:
    """Whether a service is more than a part of the monitoring."""
    return not services.is_watching(inventory, service)


def _gone(inventory: Inventory, config: PrometheusConfig) -> str:
    """Alerts on the jobs that discovery alone gives targets: those vanish with what is down, and `up` with them."""
    jobs = (job for job in inventory.scrape_jobs if job.file == config.file)
    found = [job.name for job in jobs if job.discovery and not job.targets and _VANISHING.issuperset(job.discovery)]
    return "".join(_GONE.format(name=name) for name in found)


def _alert(inventory: Inventory, config: PrometheusConfig, names: str, metrics: Sequence[str] = ()) -> str:
    """The rule file beside the configuration, the line that loads it, and its mount where the file alone is mounted."""
    path = posixpath.join(posixpath.dirname(config.file), "alerts.yml")
    more = "".join(_SILENT.format(metric=name) for name in metrics) + _gone(inventory, config)
    rules = files.into(path, f"# tells of {names}\n{monitoring_lines.TARGET_DOWN}{more}")
    lines = f"{files.into(config.file, 'rule_files: [alerts.yml]')}\n{rules}"
    for runner in monitoring.runners(inventory, config.file):
        if runner.build is None and not mounts.path_inside(runner, path):
            mount = compose_lines.mount_of(runner, path, monitoring.inside(runner, config, "alerts.yml"))
            lines += f"\n{files.into(runner.location.file, mount)}"
    if not (config.alertmanagers or config.alertmanager_discovery):
        lines += f"\n{monitoring_lines.alertmanager(inventory, config.file)}"
    return lines


def _evidence(
    inventory: Inventory, config: PrometheusConfig, watched: list[Service], metrics: list[str], clustered: bool
) -> Evidence:
    names = listed(item.name for item in watched)
    asked = listed(f"`{name} == 0`" for name in ("up", *metrics[:1]))
    doubt = "or the platform that the repository deploys to has its own, " if clustered else ""
    return Evidence(
        f"{config.file} collects the metrics of {names}, and no file of the repository alerts on any: unless somebody "
        f"made alerts in Grafana by hand, {doubt}nobody is told when something is down.",
        config.location,
        subject=config.file,
        related=tuple(Related(item.location, f"nobody is told when {item.name} is down") for item in watched),
        recommendation=f"Add a rule file with {asked} to `rule_files` of {config.file}, and a receiver.",
        severity=Severity.LOW if clustered else None,
        example=_alert(inventory, config, names, metrics),
    )
