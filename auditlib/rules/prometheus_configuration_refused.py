"""Prometheus refuses its configuration for a field that it doesn't know.

It reads the file strictly: one field that no release has, and the container ends at its start, again and again, or
keeps the previous configuration after a reload. Nothing is measured and no alert fires. How long data is kept, in
particular, is said by options of the command.

Anti-pattern:

    # prometheus.yml
    storage:
      tsdb:
        retention_time: 90d

Better:

    # compose.yaml
    prometheus:
      command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.retention.time=90d"]

Recommendation:

    Take the field out, and have `promtool check config` look at the file before it is deployed.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/
- https://prometheus.io/docs/prometheus/latest/storage/#operational-aspects
- https://prometheus.io/docs/prometheus/latest/command-line/promtool/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_IMAGES = frozenset({"prom/prometheus", "quay.io/prometheus/prometheus", "bitnami/prometheus", "ubuntu/prometheus"})


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration with such fields that a service with Prometheus itself mounts; its relatives know others."""
    for config in inventory.prometheus:
        if not config.foreign or monitoring.is_template(config.file):
            continue
        running = [item for item in monitoring.runners(inventory, config.file) if _is_prometheus(item)]
        if running:
            yield _evidence(config, running)


def _is_prometheus(service: Service) -> bool:
    return service.build is None and images.repository(service.image) in _IMAGES


def _evidence(config: PrometheusConfig, running: list[Service]) -> Evidence:
    first, *others = config.foreign
    names = listed((f"`{item.path}`" for item in config.foreign), limit=4)
    quiet = all(map(environments.only_for_development, running))
    return Evidence(
        f"{config.file} has {names}, which no Prometheus knows: it refuses the file as a whole, and "
        f"{running[0].name} doesn't start.",
        first.location,
        subject=f"{config.file}/fields",
        service=running[0].name,
        related=tuple(Related(item.location, f"so does `{item.path}`", member=True) for item in others),
        recommendation=f"Take {names} out of {config.file}.",
        severity=Severity.LOW if quiet else None,
        example=_instead(config, running[0]),
    )


def _instead(config: PrometheusConfig, service: Service) -> str:
    """The option that says how long data is kept, where the file meant that; else the check that finds such fields."""
    if not any("retention" in item.path for item in config.foreign):
        return f"promtool check config {config.file}"
    return files.into(
        service.location.file,
        f"services:\n  {service.name}:\n    command:\n      # beside the options so far\n"
        "      - --storage.tsdb.retention.time=<how long>",
    )
