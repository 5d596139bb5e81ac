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
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_BESIDE = regex(r"/etc/grafana/provisioning/(?P<name>[^/]+\.ya?ml)")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every file that a Grafana mounts directly into the folder of what it is provisioned with."""
    for server in grafana.servers(inventory):
        for mount in server.mounts:
            match = _BESIDE.fullmatch(mount.target)
            if match and mount.kind == "bind":
                kind = "dashboards" if "dashboard" in match["name"].lower() else "datasources"
                target = f"/etc/grafana/provisioning/{kind}/{match['name']}"
                yield Evidence(
                    f"{server.name} has {mount.source} at {mount.target}, where Grafana doesn't look; it reads the "
                    f"folders below, such as {kind}/.",
                    mount.location,
                    subject=f"{server.name}/{mount.target}",
                    service=server.name,
                    related=(Related(server.location, f"{server.name} runs Grafana"),),
                    recommendation=f"Mount {mount.source} at {target}.",
                    change=(mount.target, target),
                )
