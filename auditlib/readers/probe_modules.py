"""Reads the modules of the blackbox exporter.

Follows https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditlib.inventory.monitoring import ProbeModule
from auditlib.readers import reading, selection
from auditlib.readers.nodes import location, text
from auditlib.source import Source, Unreadable
from auditlib.yamltree import Node

KIND = "probes"


def read(source: Source) -> reading.Reading:
    """The modules of every configuration whose modules have a prober."""
    files = selection.containing(source, selection.YAML, "prober:")
    return reading.each(source, (file for file in files if _is_blackbox(source, file)), KIND, _read)


def _is_blackbox(source: Source, file: str) -> bool:
    try:
        return any(_modules(document) for document in source.yaml(file))
    except Unreadable:
        return "blackbox" in file.lower()


def _modules(document: Node) -> list[tuple[Node, Node]]:
    found = document.get("modules")
    return [pair for pair in (found.items() if found else ()) if pair[1].get("prober")]


def _read(source: Source, file: str) -> Iterator[Any]:
    for document in source.yaml(file):
        for name, module in _modules(document):
            yield ProbeModule(file, name.text, text(module, "prober"), location(name, file))
