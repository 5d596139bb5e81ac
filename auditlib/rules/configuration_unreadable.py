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

import shlex
from collections.abc import Iterator

from auditlib.conventions import monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Coverage, Effort, Location, Read, Related, Severity
from auditlib.rules._rule import Evidence, rule

_KINDS = frozenset({"prometheus", "prometheus-rules", "alertmanager", "grafana"})
_CHECKS = {
    "prometheus": ("promtool", "check config"), "prometheus-rules": ("promtool", "check rules"),
    "alertmanager": ("amtool", "check-config"),
}  # fmt: skip
"""By the kind of a file the program of the image that checks it."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration of the monitoring that a service mounts and that couldn't be read as YAML."""
    for entry in inventory.coverage:
        if entry.kind in _KINDS and entry.status is Read.FAILED and entry.reason.startswith("not valid YAML"):
            runs = monitoring.runners(inventory, entry.file)
            if runs and not monitoring.is_template(entry.file):
                yield _evidence(entry, runs[0])


def _evidence(entry: Coverage, reader: Service) -> Evidence:
    return Evidence(
        f"{entry.file}, which {reader.name} reads, is no YAML ({entry.reason.partition(': ')[2]}): {reader.name} ends "
        f"at its start{', if it loads the file' if entry.kind == 'prometheus-rules' else ''}.",
        Location(entry.file, entry.line),
        subject=entry.file,
        service=reader.name,
        related=(Related(reader.location, f"{reader.name} mounts it"),),
        recommendation=f"Correct line {entry.line} of {entry.file}.",
        confidence=Confidence.MEDIUM if entry.kind == "prometheus-rules" else None,
        example=_checking(entry, reader),
    )


def _checking(entry: Coverage, reader: Service) -> str:
    """The command by which the program itself, or a parser where it brings no check, says what is wrong."""
    if entry.kind not in _CHECKS:
        return f"yamllint {shlex.quote(entry.file)}"
    program, check = _CHECKS[entry.kind]
    inside = mounts.path_inside(reader, entry.file)
    return f"docker compose run --rm --no-deps --entrypoint {program} {reader.name} {check} {shlex.quote(inside)}"
