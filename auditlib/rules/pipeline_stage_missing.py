"""A pipeline of telemetry names a stage that isn't defined.

The OpenTelemetry Collector, Vector and Alloy read their configuration as a whole, and refuse it when a pipeline names a
receiver, a source or an exporter that doesn't exist. The container starts again and again, and no trace, metric or log
arrives anywhere.

Anti-pattern:

    exporters:
      otlp/tempo: {endpoint: "tempo:4317"}
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}   # it is called otlp/tempo

Better:

    exporters:
      otlp/tempo: {endpoint: "tempo:4317"}
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [otlp/tempo]}

Recommendation:

    Define what the pipeline names, or name what is defined, and have the pipeline check the configuration.

References:

- https://opentelemetry.io/docs/collector/configuration/#pipelines
- https://vector.dev/docs/reference/configuration/sinks/#inputs
- https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/components/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import nearest
from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.inventory.telemetry import MissingStage
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SECTIONS = {"receiver": "receivers", "processor": "processors", "exporter": "exporters", "extension": "extensions"}


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration that names stages which neither it nor another file of the same program defines."""
    found: defaultdict[str, list[MissingStage]] = defaultdict(list)
    for item in inventory.missing_stages:
        found[item.location.file].append(item)
    for file, items in found.items():
        running = monitoring.runners(inventory, file)
        if not monitoring.is_template(file) and not any(_is_given_more(inventory, item, file) for item in running):
            yield _evidence(file, items, running)


def _is_given_more(inventory: Inventory, service: Service, file: str) -> bool:
    """Whether a service is given several configurations, which its program reads as one."""
    named = [word for word in service.command if word.lstrip("-").startswith("config")]
    folder = any("config-dir" in word for word in service.command)
    return len(named) > 1 or folder


def _evidence(file: str, items: list[MissingStage], running: tuple[Service, ...]) -> Evidence:
    first, *others = items
    names = listed(dict.fromkeys(f"`{item.name}`" for item in items), limit=4)
    quiet = bool(running) and all(map(environments.only_for_development, running))
    more = f" ({names} in all)" if len({item.name for item in items}) > 1 else ""
    who = listed(item.name for item in running[:2]) if running else first.program
    like = next(iter(nearest.names(first.name, first.defined)), "")
    return Evidence(
        f"{first.asked_by} of {file} names the {first.kind} `{first.name}`, which isn't defined{more}: {who} "
        "refuses the configuration and doesn't start.",
        first.location,
        subject=f"{file}/{first.name}",
        service=running[0].name if running else None,
        related=(
            *(Related(item.location, f"`{item.name}` isn't defined either", member=True) for item in others),
            *(Related(item.location, f"{item.name} runs with it") for item in running[:2]),
        ),
        recommendation=f"Define `{first.name}` in {file}"
        + (f", or name `{like}`." if like else ", or name another one."),
        severity=Severity.LOW if quiet else None if running else Severity.MEDIUM,
        change=(first.name, like) if like else ("", ""),
        example="" if like else files.into(file, _lines(first)),
    )


def _lines(item: MissingStage) -> str:
    if item.program == "Alloy":
        kind, _, label = item.name.rpartition(".")
        return f'{kind} "{label}" {{\n  <its settings>\n}}'
    if item.program == "Vector":
        return f"transforms:\n  {item.name}:\n    type: <what it does>\n    inputs: [<a source>]"
    return f"{_SECTIONS[item.kind]}:\n  {item.name}:\n    <its settings, or nothing where the defaults do>"
