"""A stage of a pipeline of telemetry is set up and used by nothing.

An exporter that no pipeline names sends nothing, a limit on memory that no pipeline names limits nothing. Whoever reads
the configuration believes the opposite.

Anti-pattern:

    processors: {memory_limiter: {check_interval: 1s, limit_mib: 400}, batch: {}}
    exporters: {otlp/tempo: {endpoint: "tempo:4317"}, debug: {}}
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [debug]}

Better:

    service:
      pipelines:
        traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp/tempo]}

Recommendation:

    Name the stage in the pipeline that it was made for, or delete it.

References:

- https://opentelemetry.io/docs/collector/configuration/#service
- https://vector.dev/docs/reference/configuration/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.telemetry import IdleStage
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_EFFECTS = {
    "receiver": "nothing is received by it",
    "processor": "it changes and limits nothing",
    "exporter": "nothing is sent by it",
    "extension": "it doesn't run",
    "source": "what it reads goes nowhere",
    "transform": "what it makes goes nowhere",
}
_PLACES = {"receiver": "receivers", "processor": "processors", "exporter": "exporters"}
_FOR_TESTS = frozenset({"debug", "logging"})
"""Exporters that people leave there to name them when they look for a fault."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each configuration with stages that none of its pipelines names."""
    found: defaultdict[str, list[IdleStage]] = defaultdict(list)
    for item in inventory.idle_stages:
        if item.kind != "exporter" or item.name.partition("/")[0] not in _FOR_TESTS:
            found[item.location.file].append(item)
    refused = {item.location.file for item in inventory.missing_stages}
    for file, items in found.items():
        if file not in refused and not monitoring.is_template(file) and _is_whole(inventory, file):
            yield _evidence(file, items)


def _is_whole(inventory: Inventory, file: str) -> bool:
    """Whether no service reads the file together with another one."""
    running = monitoring.runners(inventory, file)
    named = [[word for word in item.command if word.lstrip("-").startswith("config")] for item in running]
    return not any(len(words) > 1 or "dir" in "".join(words) for words in named)


def _evidence(file: str, items: list[IdleStage]) -> Evidence:
    first, *others = items
    names = listed((f"{item.kind} `{item.name}`" for item in items), limit=4)
    effect = _EFFECTS[first.kind] if len({item.kind for item in items}) == 1 and not others else "they do nothing"
    return Evidence(
        f"{file} sets up the {names}, and {_left_out(items)} {'it' if not others else 'them'}: {effect}.",
        first.location,
        subject=f"{file}/{first.name}",
        related=tuple(Related(item.location, f"the {item.kind} `{item.name}`", member=True) for item in others),
        recommendation=f"Name `{first.name}` where it is to be used in {file}, or delete it.",
        example=files.into(file, _lines(first)),
    )


def _left_out(items: list[IdleStage]) -> str:
    """What would name the stages and doesn't."""
    extensions = [item for item in items if item.kind == "extension"]
    if not extensions:
        return "no pipeline names"
    alone = len(extensions) == len(items)
    return "`service.extensions` doesn't name" if alone else "neither a pipeline nor `service.extensions` names"


def _lines(item: IdleStage) -> str:
    if item.program == "Vector":
        return f"sinks:\n  <the sink>:\n    inputs: [<those so far>, {item.name}]"
    if item.kind == "extension":
        return f"service:\n  extensions: [<those so far>, {item.name}]"
    named = f"{_PLACES[item.kind]}: [<those so far>, {item.name}]"
    return f"service:\n  pipelines:\n    <traces, metrics or logs>:\n      {named}"
