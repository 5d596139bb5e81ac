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

from auditlib.conventions import deployment, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import counted, listed

_OTHERS = re.compile(r"loki|ruler|mimir|cortex|thanos|vmalert|(?:^|/)(?:tests?|examples?|vendor)/", re.I)
"""Paths of rules that other programs evaluate, or that are tests."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every rule file that no configuration loads, nor could by its name alone."""
    if not inventory.prometheus or any("vmalert" in service.image for service in inventory.services):
        return
    for file in dict.fromkeys(item.file for item in inventory.alert_rules):
        named = any(_may_name(config, file) for config in inventory.prometheus)
        if not named and not _OTHERS.search(file) and not monitoring.loading(inventory, file):
            yield _evidence(inventory, file)


def _may_name(config: PrometheusConfig, file: str) -> bool:
    """Whether a pattern has the file's own name; that its folder is another one may be a mount we don't see."""
    name = posixpath.basename(file)
    return any(
        fnmatchcase(name, posixpath.basename(pattern.path)) or monitoring.is_template(config.file, pattern.path)
        for pattern in config.rule_files
    )


def _evidence(inventory: Inventory, file: str) -> Evidence:
    rules = [item for item in inventory.alert_rules if item.file == file]
    configs = monitoring.prometheus_in_use(inventory)
    patterns = [(pattern.path, pattern.location) for config in configs for pattern in config.rule_files]
    known = f"`rule_files` names {listed(path for path, _ in patterns)}" if patterns else "there are no `rule_files`"
    elsewhere = deployment.uses_orchestrator(inventory)
    return Evidence(
        f"{listed(config.file for config in configs)} doesn't load {file} with its {counted(len(rules), 'rule')} "
        f"({listed((item.name for item in rules), limit=4)}): {known}.",
        rules[0].location,
        subject=file,
        related=(
            *(Related(location, f"{path} is loaded") for path, location in patterns[:5]),
            *(Related(config.location, "the configuration") for config in configs[:2] if not patterns),
        ),
        recommendation=f"Add {file} to `rule_files` of {configs[0].file}, or name the folder with a pattern.",
        confidence=Confidence.MEDIUM if elsewhere else None,
    )
