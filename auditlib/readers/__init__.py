"""One reader a format. They return inventory records and never raise for bad input.

A reader is a module with `read(source) -> Reading`; `READERS` names them in the order in which they are read.
"""

from __future__ import annotations

import importlib

from auditlib.inventory import Inventory
from auditlib.readers.reading import Reading
from auditlib.source import Source

READERS: tuple[str, ...] = (
    "compose",
    "env_files",
    "settings",
    "prometheus",
    "prometheus_rules",
    "alertmanager",
    "grafana",
    "dashboards",
    "workflows",
)


def read(source: Source) -> Inventory:
    """Everything that the readers find in a repository, with every secret masked."""
    readings: list[Reading] = [importlib.import_module(f"{__name__}.{name}").read(source) for name in READERS]
    return Inventory.of(
        (record for reading in readings for record in reading.records),
        name=source.name,
        root=str(source.root),
        commit=source.commit,
        files=source.files,
        coverage=(*(entry for reading in readings for entry in reading.coverage), *source.left_out),
    )
