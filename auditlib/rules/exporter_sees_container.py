"""The node exporter runs in a container and is shown nothing of the host.

Without the host's folders the file systems and network interfaces that it reports are those of its own container: an
alert on a full disk or a lost interface watches the wrong thing.

Anti-pattern:

    node-exporter:
      image: prom/node-exporter:v1.8.2

Better:

    node-exporter:
      image: prom/node-exporter:v1.8.2
      command: ["--path.rootfs=/host"]
      network_mode: host
      pid: host
      volumes: ["/:/host:ro,rslave"]

Recommendation:

    Mount the root of the host and name it with `--path.rootfs`.

References:

- https://github.com/prometheus/node_exporter#docker
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAMES = frozenset({"node-exporter", "node_exporter"})

_SHOWN = """command: ["--path.rootfs=/host"]
pid: host
volumes: ["/:/host:ro,rslave"]
# the host's network interfaces: network_mode: host in place of networks, and the host's address as the target"""
"""What its own documentation asks for (https://github.com/prometheus/node_exporter#docker)."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every node exporter without a mount of the host and outside its network."""
    for service in inventory.distinct_services:
        shown = any(item.mounts or item.network_mode == "host" for item in inventory.versions(service))
        if images.repository(service.image).rpartition("/")[2] in _NAMES and not shown:
            yield Evidence(
                f"{service.name} is given no folder of the host: the file systems and network interfaces that it "
                "reports are those of its own container.",
                service.location,
                subject=service.name,
                service=service.name,
                recommendation=f"Mount `/:/host:ro,rslave` into {service.name} and start it with "
                "`--path.rootfs=/host`.",
                example=compose_lines.of_service(service, _SHOWN),
            )
