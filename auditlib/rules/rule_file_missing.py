"""`rule_files` of Prometheus names a file that its container doesn't hold.

Prometheus takes a path that nothing matches for an empty pattern: it starts, evaluates no rule and says nothing, so
that a configuration that seems to alert never does.

Anti-pattern:

    rule_files: [alert.rules]
    # compose.yaml mounts prometheus.yml alone

Better:

    volumes:
      - ./prometheus.yml:/etc/prometheus/prometheus.yml:ro
      - ./alert.rules:/etc/prometheus/alert.rules:ro

Recommendation:

    Write the rules and mount them where the path says, or remove the path.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/
- https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PathPattern, PrometheusConfig
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration whose paths all lead nowhere; rules that lie unloaded elsewhere are told of as such."""
    if any(not monitoring.loading(inventory, item.file) for item in inventory.alert_rules):
        return
    for config in inventory.prometheus:
        absent = [item for item in config.rule_files if _is_absent(inventory, config, item)]
        if absent and len(absent) == len(config.rule_files):
            yield _evidence(inventory, config, absent)


def _is_absent(inventory: Inventory, config: PrometheusConfig, pattern: PathPattern) -> bool:
    filled_in = monitoring.is_template(config.file, pattern.path)
    copies = monitoring.with_copies(inventory, config)
    return not filled_in and monitoring.lacks(inventory, config, pattern.path, copies)


def _mounted(config: PrometheusConfig, service: Service, path: str) -> str:
    """The folder beside the configuration, at the place in the container that the pattern means."""
    home = posixpath.dirname(mounts.path_inside(service, config.file)) or "/etc/prometheus"
    target = posixpath.normpath(posixpath.join(home, path))
    rules = posixpath.join(posixpath.dirname(config.file), "rules")
    if "*" in target:
        return compose_lines.mount_of(service, rules, posixpath.dirname(target))
    return compose_lines.mount_of(service, posixpath.join(rules, posixpath.basename(target)), target)


def _advice(inventory: Inventory, config: PrometheusConfig, service: Service, names: str) -> str:
    """What to mount; where the repository has no rules beside the configuration, they have to be written first."""
    folder = posixpath.join(posixpath.dirname(config.file), "rules")
    if any(item.file.startswith(f"{folder}/") for item in inventory.alert_rules):
        return f"Mount {folder} into {service.name}, or remove `rule_files` from {config.file}."
    return f"Write rules into {folder} and mount them as {names} into {service.name}, or remove `rule_files`."


def _evidence(inventory: Inventory, config: PrometheusConfig, absent: list[PathPattern]) -> Evidence:
    running = monitoring.runners(inventory, config.file)
    service = (running or monitoring.with_copies(inventory, config))[0]
    names = listed(item.path for item in absent)
    return Evidence(
        f"`rule_files` of {config.file} names {names}, and no mount of {service.name} brings "
        f"{'it' if len(absent) == 1 else 'them'} into the container: {service.name} starts without a rule.",
        absent[0].location,
        subject=config.file,
        service=service.name,
        related=(Related(service.location, f"{service.name} mounts {config.file} alone"),)
        if running
        else (Related(service.location, f"{service.name} mounts what seems to be a copy of {config.file}"),),
        confidence=None if running else Confidence.MEDIUM,
        recommendation=_advice(inventory, config, service, names),
        example=_mounted(config, service, absent[0].path),
    )
