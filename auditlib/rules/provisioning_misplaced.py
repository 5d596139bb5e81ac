"""A file lies beside the folders that Grafana reads.

Grafana looks for data sources in `provisioning/datasources` and for providers of dashboards in
`provisioning/dashboards`. What lies directly in `provisioning` is never read, and nothing says so.

Anti-pattern:

    volumes:
      - ./datasource.yml:/etc/grafana/provisioning/datasource.yml

Better:

    volumes:
      - ./datasource.yml:/etc/grafana/provisioning/datasources/datasource.yml

Recommendation:

    Mount the file into the folder of its kind.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import grafana
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every file that a Grafana mounts directly into the folder of what it is provisioned with."""
    for server in grafana.servers(inventory):
        elsewhere = any(entry.name == "GF_PATHS_PROVISIONING" for entry in server.environment)
        for mount in () if elsewhere else server.mounts:
            if grafana.lies_beside(mount):
                yield _evidence(server, mount, _kind(inventory, mount))


def _kind(inventory: Inventory, mount: Mount) -> str:
    """The folder for what a file holds; empty where that isn't known."""
    if any(item.file == mount.source for item in inventory.datasources):
        return "datasources"
    return "dashboards" if any(item.file == mount.source for item in inventory.dashboard_providers) else ""


def _evidence(server: Service, mount: Mount, kind: str) -> Evidence:
    home, _, name = mount.target.rpartition("/")
    target = f"{home}/{kind or '<datasources, dashboards or alerting>'}/{name}"
    return Evidence(
        f"{server.name} has {mount.source} at {mount.target}, where Grafana doesn't look; it reads the folders below, "
        f"such as {kind or 'datasources'}/.",
        mount.location,
        subject=f"{server.name}/{mount.target}",
        service=server.name,
        related=(Related(server.location, f"{server.name} runs Grafana"),),
        recommendation=f"Mount {mount.source} at {target}.",
        change=compose_lines.mounted_at(mount, target) if kind else ("", ""),
        example=compose_lines.mount_of(server, mount.source, target),
    )
