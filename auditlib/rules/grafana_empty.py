"""Grafana starts without a data source.

Nothing is provisioned, so that whoever opens Grafana sees nothing until somebody adds the data source and the
dashboards by hand; each new installation, and each loss of its volume, begins again.

Anti-pattern:

    services:
      prometheus: { image: prom/prometheus:v2.55.0 }
      grafana:
        image: grafana/grafana:11.1.0

Better:

    services:
      grafana:
        image: grafana/grafana:11.1.0
        volumes:
          - ./grafana/provisioning:/etc/grafana/provisioning:ro

Recommendation:

    Commit the data source and the dashboards as files, and mount them into `/etc/grafana/provisioning`.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, grafana, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule

_EXAMPLE = """\
# grafana/provisioning/datasources/main.yaml
apiVersion: 1
datasources:
  - name: Prometheus
    type: prometheus
    url: http://{host}:9090
    isDefault: true
"""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Grafana that nothing is provisioned for, in a repository without any data source or dashboard."""
    if inventory.datasources or inventory.dashboards or grafana.adds_sources(inventory):
        return
    for server in grafana.servers(inventory):
        if not environments.only_for_development(server) and not _is_provisioned(inventory, server):
            yield _evidence(inventory, server)


def _is_provisioned(inventory: Inventory, server: Service) -> bool:
    """Whether something is given to it; if that is missing or in the wrong place, other rules say so."""
    given = any(mount.target.startswith("/etc/grafana/provisioning/") for mount in server.mounts)
    return given or grafana.may_have_sources(inventory, server)


def _evidence(inventory: Inventory, server: Service) -> Evidence:
    sources = services.of_product(inventory, "Prometheus")
    host = sources[0].name if sources else "prometheus"
    return Evidence(
        f"{server.name} is given no data source and no dashboard: it shows nothing until somebody sets it up by hand.",
        server.location,
        subject=server.name,
        service=server.name,
        related=tuple(Related(item.location, f"{item.name} is what it could ask") for item in sources[:1]),
        recommendation=f"Mount files with a data source and the dashboards at /etc/grafana/provisioning of "
        f"{server.name}.",
        example=_EXAMPLE.format(host=host),
    )
