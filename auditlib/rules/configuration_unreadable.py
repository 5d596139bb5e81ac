"""A program is given a configuration that is no YAML.

Prometheus, Alertmanager and Grafana end at their start when they can't read their configuration. A placeholder
such as `*`, a tab or a missing quote is enough.

Anti-pattern:

    telegram_configs:
      - bot_token: *        # an alias without a name

Better:

    telegram_configs:
      - bot_token_file: /run/secrets/telegram

Recommendation:

    Correct the line, and let `amtool check-config` or `promtool check config` run in the pipeline.

References:

- https://prometheus.io/docs/alerting/latest/configuration/
- https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Read, Related, Severity
from auditlib.rules._rule import Evidence, rule

_KINDS = frozenset({"prometheus", "prometheus-rules", "alertmanager", "grafana"})


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration of the monitoring that a service mounts and that couldn't be read as YAML."""
    for entry in inventory.coverage:
        if entry.kind in _KINDS and entry.status is Read.FAILED and entry.reason.startswith("not valid YAML"):
            runs = monitoring.runners(inventory, entry.file)
            if runs and not monitoring.is_template(entry.file):
                yield Evidence(
                    f"{entry.file}, which {runs[0].name} reads, is no YAML ({entry.reason.partition(': ')[2]}): "
                    f"{runs[0].name} ends at its start.",
                    Location(entry.file, entry.line),
                    subject=entry.file,
                    service=runs[0].name,
                    related=(Related(runs[0].location, f"{runs[0].name} mounts it"),),
                    recommendation=f"Correct line {entry.line} of {entry.file}.",
                )
