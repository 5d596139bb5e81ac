"""A file of alerting rules is loaded by no Prometheus.

The alerts look like protection and are none: `rule_files` names other files, so that these rules are never evaluated.

Anti-pattern:

    # prometheus.yml
    rule_files:
      - rules/api.yml
    # rules/database.yml exists beside it

Better:

    rule_files:
      - rules/*.yml

Recommendation:

    Load the whole folder with a pattern, or name the file.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/
- https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from auditlib.conventions import deployment, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OTHERS = regex(r"loki|ruler|mimir|cortex|thanos|vmalert|(?:^|/)(?:tests?|examples?|vendor)/", re.I)
"""Paths of rules that other programs evaluate, or that are tests."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every rule file that no configuration loads, nor could by its name alone."""
    if not inventory.prometheus or any("vmalert" in service.image for service in inventory.services):
        return
    for file in dict.fromkeys(item.file for item in inventory.alert_rules):
        named = any(_may_name(inventory, config, file) for config in inventory.prometheus)
        if not named and not _OTHERS.search(file) and not monitoring.loading(inventory, file):
            yield _evidence(inventory, file)


def _may_name(inventory: Inventory, config: PrometheusConfig, file: str) -> bool:
    """Whether a pattern has the file's own name, unless the containers that read it hold nothing there."""
    name = posixpath.basename(file)
    return any(
        monitoring.is_template(config.file, pattern.path)
        or (
            fnmatchcase(name, posixpath.basename(pattern.path))
            and not _means_another(inventory, config, pattern.path, file)
            and not monitoring.lacks(inventory, config, pattern.path)
        )
        for pattern in config.rule_files
    )


def _means_another(inventory: Inventory, config: PrometheusConfig, pattern: str, file: str) -> bool:
    """Whether all containers that read a configuration have another file of the repository at the path."""
    running = monitoring.runners(inventory, config.file)
    found = {mounts.path_outside(item, monitoring.inside(item, config, pattern)) for item in running}
    return bool(found) and file not in found and found <= inventory.file_set


def _near(inventory: Inventory, file: str) -> tuple[PrometheusConfig, ...]:
    """The configurations whose containers have the file; all that are in use where none has."""
    used = monitoring.prometheus_in_use(inventory)
    having = (
        config
        for config in used
        if any(mounts.path_inside(item, file) for item in monitoring.runners(inventory, config.file))
    )
    return tuple(having) or used


def _absent(inventory: Inventory, configs: tuple[PrometheusConfig, ...], file: str) -> tuple[str, str]:
    """The pattern that has the file's name, and the mount that brings it where the container looks for that."""
    for config in configs:
        for pattern in config.rule_files:
            if posixpath.basename(pattern.path) == posixpath.basename(file):
                runners = monitoring.runners(inventory, config.file)
                mounts = [
                    files.into(
                        runner.location.file,
                        compose_lines.mount_of(runner, file, monitoring.inside(runner, config, pattern.path)),
                    )
                    for runner in runners
                ]
                return pattern.path, "\n".join(mounts)
    return "", ""


def _unmounted(inventory: Inventory, configs: tuple[PrometheusConfig, ...], file: str) -> tuple[str, str]:
    """Where a container gets the file from now on, and the mount for it, if it has the configuration without it."""
    config = configs[0]
    name = posixpath.basename(file)
    for runner in monitoring.runners(inventory, config.file):
        home = monitoring.inside(runner, config, name)
        if runner.build is None and not mounts.path_inside(runner, file) and not runner.configs:
            return home, files.into(runner.location.file, compose_lines.mount_of(runner, file, home))
    return "", ""


def _evidence(inventory: Inventory, file: str) -> Evidence:
    rules = [item for item in inventory.alert_rules if item.file == file]
    configs = _near(inventory, file)
    patterns = [(pattern.path, pattern.location) for config in configs for pattern in config.rule_files]
    known = f"`rule_files` names {listed(path for path, _ in patterns)}" if patterns else "there are no `rule_files`"
    elsewhere = deployment.uses_orchestrator(inventory)
    absent, mount = _absent(inventory, configs, file)
    if absent:
        known = f"`rule_files` names {absent}, and no mount brings it there"
    word = "is named" if absent else "is loaded"
    do_not = "doesn't" if len(configs) == 1 else "don't"
    home, mounted = ("", "") if absent else _unmounted(inventory, configs, file)
    return Evidence(
        f"{listed(config.file for config in configs)} {do_not} load {file} with its {counted(len(rules), 'rule')} "
        f"({listed((item.name for item in rules), limit=4)}): {known}.",
        rules[0].location,
        subject=file,
        related=(
            *(Related(location, f"{path} {word}") for path, location in patterns[:5]),
            *(Related(config.location, "the configuration") for config in configs[:2] if not patterns),
        ),
        recommendation=f"Mount {file} where `rule_files` names it."
        if absent
        else f"Mount {file} at {home}, and add that to `rule_files` of {configs[0].file}."
        if home
        else f"Add {file} to `rule_files` of {configs[0].file}, or name the folder with a pattern.",
        confidence=Confidence.MEDIUM if elsewhere else None,
        example=mount
        if absent
        else f"{mounted}\n# {configs[0].file}\nrule_files:\n  - {home}"
        if home
        else f"rule_files:\n  - {posixpath.relpath(file, posixpath.dirname(configs[0].file) or '.')}",
    )
