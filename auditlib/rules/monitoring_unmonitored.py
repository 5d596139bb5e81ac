"""The monitoring doesn't watch a part of itself.

When Alertmanager, the store of the logs or what takes the traces is down, nothing says so: the silence looks like a
day without incidents.

Anti-pattern:

    # prometheus.yml
    alerting:
      alertmanagers:
        - static_configs: [{targets: ["alertmanager:9093"]}]
    scrape_configs:
      - job_name: api
        static_configs: [{targets: ["api:8000"]}]

Better:

    scrape_configs:
      - job_name: alertmanager
        static_configs: [{targets: ["alertmanager:9093"]}]

Recommendation:

    Scrape every part of the monitoring, alert when one is down, and on `alertmanager_notifications_failed_total`.

References:

- https://prometheus.io/docs/practices/alerting/#metamonitoring
- https://grafana.com/docs/loki/latest/operations/meta-monitoring/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib import scraping
from auditlib.conventions import environments, images, monitoring, networks, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, PrometheusConfig
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_PARTS = frozenset({"alerting", "logs", "tracing"})
"""Kinds of programs whose failure nobody sees."""
_GIVES = regex(
    r"(?:^|/)(?:alertmanager|vmalert|loki|promtail|alloy|agent|tempo|all-in-one|jaeger|opentelemetry-collector(?:-contrib)?)"
    r"(?:-|$)"
)
"""Those of them that give metrics without being told to, or by a line of their settings."""
_OF_TRACES = (
    (regex(r"opentelemetry-collector"), "8888"), (regex(r"tempo"), "3200"),
    (regex(r"jaegertracing/all-in-one|jaeger"), "14269"),
)  # fmt: skip
"""The port of the metrics of programs that take traces, where it is not that of what they serve."""
_TELEMETRY = """# and in the settings of {name}, which else gives its metrics to itself alone:
service:
  telemetry:
    metrics:
      readers: [{{pull: {{exporter: {{prometheus: {{host: 0.0.0.0, port: 8888}}}}}}}}]"""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Prometheus in use one finding for all parts of the monitoring that it could scrape and none does."""
    configs = monitoring.prometheus_in_use(inventory)
    jobs = monitoring.jobs(inventory, configs)
    if not jobs or any(scraping.is_open(job) for job in jobs) or any(item.scrape_config_files for item in configs):
        return
    watched = scraping.watched(inventory, graph, jobs) | scraping.asked_from_outside(inventory, graph, jobs)
    alone: defaultdict[str, list[Service]] = defaultdict(list)
    for item in inventory.distinct_services:
        if item.key not in watched and _is_part(inventory, item) and (config := _near(inventory, configs, item)):
            alone[config.file].append(item)
    for file, parts in alone.items():
        yield _evidence(inventory, file, parts)


def _near(inventory: Inventory, configs: Iterable[PrometheusConfig], part: Service) -> PrometheusConfig | None:
    """The first configuration whose server can reach a part; any if it isn't known who runs with it."""
    for config in configs:
        servers = monitoring.runners(inventory, config.file)
        if not servers or any(networks.may_meet(inventory, item, part) for item in servers):
            return config
    return None


def _is_part(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    if found is None or found.kind not in _PARTS or environments.only_for_development(service):
        return False
    image = services.built_from(inventory, service)[0] if service.build else service.image
    return _GIVES.search(images.repository(image)) is not None


def _evidence(inventory: Inventory, config: str, parts: list[Service]) -> Evidence:
    names = listed(item.name for item in parts)
    first, *rest = parts
    heart = next((item.name for item in monitoring.alerts(inventory) if _is_told_by(inventory, item, config)), "")
    nothing = f"only {heart}, which always fires, tells by its silence" if heart else "nothing tells"
    if not all(_alerts(inventory, item) for item in parts):
        heart, nothing = "", "nothing tells"
    are = "it is" if len({item.name for item in parts}) == 1 else "they are"
    return Evidence(
        f"No job of {config} scrapes {names}: {nothing} when {are} down.",
        first.location,
        subject=f"{config}/itself",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} isn't scraped either", member=True) for item in rest),
        recommendation=f"Add a job for {names} to {config}.",
        severity=Severity.INFO if heart else None,
        example=_lines(inventory, config, first),
    )


def _alerts(inventory: Inventory, part: Service) -> bool:
    found = services.product(inventory, part)
    return found is not None and found.kind == "alerting"


def _is_told_by(inventory: Inventory, alert: AlertRule, config: str) -> bool:
    """Whether an alert of a configuration always fires, so that its receiver hears of the alerting by silence."""
    loading = monitoring.loading(inventory, alert.file)
    return monitoring.is_constant(alert) and any(item.file == config for item in loading)


def _lines(inventory: Inventory, config: str, part: Service) -> str:
    """The job that scrapes a part, at the port of its metrics."""
    image = images.repository(part.image)
    port = next((number for pattern, number in _OF_TRACES if pattern.search(image)), "")
    if not port:
        return monitoring_lines.for_service(inventory, config, part)
    job = files.into(config, monitoring_lines.job(part.name, f"{part.name}:{port}"))
    return f"{job}\n{_TELEMETRY.format(name=part.name)}" if port == "8888" else job
