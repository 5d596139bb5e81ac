"""How Grafana finds what it is provisioned with.

Sources: https://grafana.com/docs/grafana/latest/administration/provisioning/, and for the identifiers of data sources
without one `safeUIDFromName` of Grafana's source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from auditlib.conventions import mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Datasource
from auditlib.inventory.stack import Service

BUILT_IN = frozenset({"", "default", "grafana", "-- grafana --", "-- mixed --", "-- dashboard --", "-100", "__expr__"})
"""Data sources that every Grafana has (in lower case), and the word for the default one."""


def names(datasources: Iterable[Datasource]) -> set[str]:
    """All words by which a panel may mean one of the data sources: name, identifier, and the one that is generated."""
    found = set()
    for item in datasources:
        found |= {item.name, item.uid or generated_uid(item.name)}
    return found


def generated_uid(name: str) -> str:
    """The identifier that Grafana gives a provisioned data source that has none: `P` and a hash of its name."""
    return "P" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16].upper()


def servers(inventory: Inventory) -> tuple[Service, ...]:
    """The services that run Grafana."""
    return services.of_product(inventory, "Grafana")


def sees(server: Service, folder: str, file: str) -> bool:
    """Whether the container finds a file of the repository in a folder of its own."""
    inside = mounts.path_inside(server, file)
    return bool(inside) and mounts.is_below(inside, folder)
