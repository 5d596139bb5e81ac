"""Grafana is to load dashboards from a folder that holds none.

The provider and the mount are there, and the dashboards were never committed. Each new installation begins with an
empty Grafana, while the provider says that there is something.

Anti-pattern:

    # provisioning/dashboards/main.yml: options: {path: /var/lib/grafana/dashboards}
    grafana:
      volumes: ["./dashboards:/var/lib/grafana/dashboards"]      # holds a README alone

Better:

    # dashboards/api.json, exported from the Grafana in which it was made

Recommendation:

    Export the dashboards as JSON and commit them, or remove the provider.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, grafana, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import DashboardProvider
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every provider whose folder is one of the repository with files in it, and no dashboard among them."""
    servers = [item for item in grafana.servers(inventory) if item.build is None]
    servers = [item for item in servers if not environments.only_for_development(item)]
    if not servers or grafana.adds_dashboards(inventory):
        return
    told: set[Location] = set()
    for server in servers:
        for provider in grafana.providers(inventory, server):
            folder, held = grafana.files_at(inventory, server, provider.path)
            if held and not grafana.are_dashboards(held) and provider.location not in told:
                told.add(provider.location)
                yield _evidence(provider, server, folder)


def _evidence(provider: DashboardProvider, server: Service, folder: str) -> Evidence:
    return Evidence(
        f"{server.name} is to load dashboards from {provider.path}, which is {folder} and holds no JSON: unless they "
        "are put there by hand, it begins without a dashboard.",
        provider.location,
        subject=f"{provider.name}/{folder}",
        service=server.name,
        related=tuple(Related(item.location, f"{folder} is mounted here") for item in _innermost(provider, server)),
        recommendation=f"Export the dashboards as JSON into {folder}, or remove the provider {provider.name}.",
        example=files.into(f"{folder}/<name>.json", "<what `Export` of the dashboard gives>"),
    )


def _innermost(provider: DashboardProvider, server: Service) -> list[Mount]:
    """The mount that holds the folder; one above it lies under that."""
    found = [item for item in server.mounts if mounts.is_below(provider.path, item.target)]
    return sorted(found, key=lambda item: len(item.target))[-1:]
