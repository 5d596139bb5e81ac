"""Reads which components a configuration of the OpenTelemetry Collector sets up.

Follows https://opentelemetry.io/docs/collector/configuration/: a component is named by its type, or `type/name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.telemetry import CollectorPart
from auditlib.readers import reading, selection
from auditlib.readers.nodes import location
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "collector"
_SECTIONS = ("receivers", "processors", "exporters", "connectors", "extensions")


def read(source: Source) -> reading.Reading:
    """The components of every configuration that has pipelines between receivers and exporters."""
    files = selection.containing(source, selection.YAML, "pipelines:")
    return reading.each(source, (file for file in files if _is_collector(source, file)), KIND, _read)


def _is_collector(source: Source, file: str) -> bool:
    try:
        return any(_belongs(document) for document in source.yaml(file))
    except Unreadable:
        return "collector" in file.lower()


def _belongs(document: Node) -> bool:
    return all(document.get(*keys) for keys in (("receivers",), ("exporters",), ("service", "pipelines")))


def _read(source: Source, file: str) -> Iterator[Any]:
    for document in source.yaml(file):
        for section in _SECTIONS if _belongs(document) else ():
            found = document.get(section)
            for name, _ in found.items() if found else ():
                yield CollectorPart(section, name.text.partition("/")[0], location(name, file))
        pipelines = document.get("service", "pipelines") if _belongs(document) else None
        for name, _ in pipelines.items() if pipelines else ():
            yield CollectorPart("pipelines", name.text.partition("/")[0], location(name, file))
