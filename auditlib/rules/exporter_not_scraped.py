"""An exporter runs that no Prometheus scrapes.

It costs memory and a connection to what it watches, and its metrics go nowhere. Whoever added it believes that the
database is monitored.

Anti-pattern:

    services:
      redis-exporter:
        image: oliver006/redis_exporter:v1.63.0
    # prometheus.yml has no job with redis-exporter:9121

Better:

    scrape_configs:
      - job_name: redis
        static_configs: [{targets: ["redis-exporter:9121"]}]

Recommendation:

    Add a scrape job for the exporter, or remove the service.

References:

- https://prometheus.io/docs/instrumenting/exporters/
- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import exporters, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_AGENTS = regex(r"alloy|grafana/agent|telegraf|datadog|netdata|zabbix|newrelic|timberio|signoz")
"""Images of what collects metrics itself, by files that aren't followed here."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every exporter by its image that no job names, where all targets stand in files."""
    configs = monitoring.prometheus_in_use(inventory)
    jobs = monitoring.jobs(inventory, configs)
    if not jobs or any(scraping.is_open(job) for job in jobs) or any(item.scrape_config_files for item in configs):
        return
    if any(_AGENTS.search(item.image) for item in inventory.services):
        return
    scraped = list(scraping.sources(inventory, graph, jobs))
    hosts = {source.target.host for source in scraped} | {source.service.name for source in scraped if source.service}
    kinds = {source.exporter for source in scraped if source.service is None}
    main = next((item for item in configs if _is_of_prometheus(inventory, item)), configs[0])
    runners = (item for config in configs for item in monitoring.runners(inventory, config.file))
    places = {inventory.base_of(item.project) for item in runners}
    for service in inventory.distinct_services:
        if places and inventory.base_of(service.project) not in places:
            continue
        found = exporters.of_image(service.image) if service.build is None else None
        product = services.product(inventory, service)
        if found is None or product is None or product.kind != "exporter" or found.relays:
            continue
        if not {service.name, service.container_name, service.hostname} & hosts and not _known(service, found, kinds):
            yield Evidence(
                f"{service.name} is {found.name}, and no job of {main.file} scrapes it.",
                service.location,
                subject=service.key,
                service=service.name,
                related=tuple(Related(config.location, "no target here leads to it") for config in configs[:3]),
                recommendation=f"Add a job with the target {service.name}"
                f"{':' + found.ports[0] if found.ports else ''} to {main.file}.",
                example=monitoring_lines.for_exporter(inventory, main.file, found),
            )


def _is_of_prometheus(inventory: Inventory, config: PrometheusConfig) -> bool:
    """Whether Prometheus itself reads a configuration, and no collector that has jobs too."""
    return any("prometheus" in item.image for item in monitoring.runners(inventory, config.file))


def _known(service: Service, found: exporters.Exporter, kinds: set[exporters.Exporter | None]) -> bool:
    """Whether it may be scraped at an address of the host, or under a name that nobody resolves."""
    return bool(service.network_mode) or found in kinds or any(port.host_port for port in service.ports)
