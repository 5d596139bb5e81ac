"""A program is given a configuration that is no YAML, or a dashboard that is no JSON.

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

from auditlib.conventions import filled_files, monitoring, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Coverage, Effort, Location, Read, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PROGRAMS = {
    "prometheus": "prometheus",
    "prometheus-rules": "prometheus",
    "alertmanager": "alertmanager",
    "grafana": "grafana",
}
"""Who reads a configuration of each kind: what the name of its image has."""
_FILLS = regex(r"\b(?:sed|envsubst|gomplate|perl|awk|yq)\b")
_CHECKS = {
    "prometheus": ("promtool", "check config"), "prometheus-rules": ("promtool", "check rules"),
    "alertmanager": ("amtool", "check-config"),
}  # fmt: skip
"""By the kind of a file the program of the image that checks it."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every configuration of the monitoring that couldn't be read as YAML, where a service would read it."""
    for entry in inventory.coverage:
        broken = entry.status is Read.FAILED and entry.reason.startswith("not valid YAML")
        if entry.kind in _PROGRAMS and broken and not _is_filled(inventory, entry.file):
            program = _PROGRAMS[entry.kind]
            readers = [item for item in inventory.distinct_services if program in f"{item.image} {item.name}".lower()]
            mounting = set(monitoring.runners(inventory, entry.file))
            mounted = [item for item in readers if item in mounting]
            if readers:
                yield _evidence(inventory, entry, mounted[0] if mounted else readers[0], bool(mounted))
        elif entry.kind == "grafana-dashboard" and entry.reason.startswith("not valid JSON"):
            showing = [item for item in monitoring.runners(inventory, entry.file) if "grafana" in item.image.lower()]
            if showing and not monitoring.is_template(entry.file):
                yield _of_dashboard(entry, showing[0])


def _of_dashboard(entry: Coverage, service: Service) -> Evidence:
    """A file that Grafana passes over, with a line in its log, each time that it looks at the folder."""
    return Evidence(
        f"{entry.file}, which {service.name} mounts, is no JSON ({entry.reason.partition(': ')[2]} in line "
        f"{entry.line}): the dashboard never appears.",
        Location(entry.file, entry.line),
        subject=entry.file,
        service=service.name,
        related=(Related(service.location, f"{service.name} mounts it"),),
        recommendation=f"Correct line {entry.line} of {entry.file}, and let a job parse the dashboards.",
        severity=Severity.MEDIUM,
        example=f"python3 -m json.tool {shlex.quote(entry.file)} > /dev/null",
    )


def _is_filled(inventory: Inventory, file: str) -> bool:
    """Whether something makes another file of it, or changes it, before the program reads it."""
    if monitoring.is_template(file) or filled_files.is_filled(inventory, file):
        return True
    runs = (" ".join((*item.entrypoint, *item.command)) for item in monitoring.runners(inventory, file))
    return any(_FILLS.search(text) for text in runs)


def _evidence(inventory: Inventory, entry: Coverage, service: Service, mounted: bool) -> Evidence:
    fault = f"is no YAML ({entry.reason.partition(': ')[2]})"
    return Evidence(
        f"{entry.file}, which {service.name} reads, {fault}: {service.name} ends at its start"
        f"{', if it loads the file' if entry.kind == 'prometheus-rules' else ''}."
        if mounted
        else f"{entry.file} {fault}: {service.name} can't load it.",
        Location(entry.file, entry.line),
        subject=entry.file,
        service=service.name,
        related=(Related(service.location, f"{service.name} mounts it" if mounted else "would read it"),),
        recommendation=f"Correct line {entry.line} of {entry.file}.",
        severity=None if mounted else Severity.MEDIUM,
        confidence=None if mounted and entry.kind != "prometheus-rules" else Confidence.MEDIUM,
        example=_checking(inventory, entry, service) if mounted else f"yamllint {shlex.quote(entry.file)}",
    )


def _checking(inventory: Inventory, entry: Coverage, reader: Service) -> str:
    """The command by which the program itself, or a parser where it brings no check, says what is wrong."""
    if entry.kind not in _CHECKS:
        return f"yamllint {shlex.quote(entry.file)}"
    program, check = _CHECKS[entry.kind]
    inside = mounts.path_inside(reader, entry.file)
    compose = compose_lines.call(inventory, reader.project)
    return f"{compose} run --rm --no-deps --entrypoint {program} {reader.name} {check} {shlex.quote(inside)}"
