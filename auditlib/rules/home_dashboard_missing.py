"""Grafana is told to begin with a dashboard that isn't there.

The variable names a file in a folder that the repository mounts, and the folder has no such file. Grafana logs an error
at each visit and shows its own empty page.

Anti-pattern:

    grafana:
      volumes: ["./dashboards:/var/lib/grafana/dashboards"]      # holds sales.json
      environment:
        GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /var/lib/grafana/dashboards/home.json

Better:

    grafana:
      environment:
        GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: /var/lib/grafana/dashboards/sales.json

Recommendation:

    Name a dashboard that is there.

References:

- https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#default_home_dashboard_path
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import grafana, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_VARIABLE = "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Grafana whose first dashboard is in a folder of the repository that lacks it."""
    if grafana.adds_dashboards(inventory):
        return
    for server in grafana.servers(inventory):
        for entry in server.environment:
            path = entry.value.text if entry.name == _VARIABLE and entry.value else ""
            folder, held = grafana.files_at(inventory, server, posixpath.dirname(path))
            absent = held and not grafana.files_at(inventory, server, path)[1]
            if absent and not _is_told(inventory, server, path, held) and not _is_written(inventory, server, folder):
                yield _evidence(server, entry, path, folder, held)


def _is_told(inventory: Inventory, server: Service, path: str, held: list[str]) -> bool:
    """Whether a provider reads the folder in vain, which is a finding of its own."""
    reading = any(mounts.is_below(path, item.path) for item in grafana.providers(inventory, server))
    return reading and not grafana.are_dashboards(held)


def _is_written(inventory: Inventory, server: Service, folder: str) -> bool:
    """Whether another service may write the dashboard into the folder."""
    others = (item for item in inventory.services if item.name != server.name)
    return any(mount.source == folder and not mount.read_only for item in others for mount in item.mounts)


def _evidence(server: Service, entry: EnvironmentEntry, path: str, folder: str, held: list[str]) -> Evidence:
    boards = [file for file in held if file.endswith(".json")]
    named = listed((posixpath.basename(file) for file in boards), 3) or "no dashboard at all"
    first = posixpath.relpath(boards[0], folder) if boards else "<a dashboard>"
    better = posixpath.join(posixpath.dirname(path), first)
    mounted = [item for item in server.mounts if mounts.is_below(path, item.target) and item.kind == "bind"]
    return Evidence(
        f"{server.name} is to begin with {path}, but {folder} holds {named}.",
        entry.location,
        subject=path,
        service=server.name,
        related=tuple(Related(mount.location, "what is mounted there") for mount in mounted),
        recommendation=f"Name a dashboard of {folder} in {_VARIABLE} of {server.name}."
        if boards
        else f"Add a dashboard to {folder} and name it in {_VARIABLE} of {server.name}.",
        example=compose_lines.of_service(server, f"environment:\n  {_VARIABLE}: {better}"),
    )
