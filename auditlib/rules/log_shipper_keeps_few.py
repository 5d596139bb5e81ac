"""The logs of some services are never shipped.

A list of services that Promtail keeps falls behind the Compose file. What isn't on it has its logs on the host alone,
until the container is made anew: in an incident the search finds nothing, and nobody knows whether there was nothing.

Anti-pattern:

    relabel_configs:
      - source_labels: [__meta_docker_container_label_com_docker_compose_service]
        regex: api|web
        action: keep
    # compose.yaml has worker, db and proxy as well

Better:

    relabel_configs:
      - source_labels: [__meta_docker_container_label_com_docker_compose_project]
        regex: shop
        action: keep

Recommendation:

    Keep all containers of the project, and drop by name what nobody wants.

References:

- https://grafana.com/docs/loki/latest/send-data/promtail/configuration/#docker_sd_configs
- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.monitoring import PathPattern
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LINES = """relabel_configs:
  - source_labels: [__meta_docker_container_label_com_docker_compose_project]
    regex: <the name of the project>
    action: keep"""


_ON_THE_HOST = frozenset({"", "json-file", "local", "journald"})
"""Drivers whose logs stay where the container runs."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Promtail that keeps a list of services, with those of its project that are not on it."""
    for shipper in inventory.log_shippers:
        running = monitoring.runners(inventory, shipper.file) if shipper.kept else ()
        if shipper.kept and running:
            names = set(shipper.kept.path.strip("()").split("|"))
            left = [item for item in inventory.services_of(running[0].project).values()
                    if item.name not in names and _is_wanted(inventory, item)]  # fmt: skip
            if left:
                yield _evidence(inventory, shipper, shipper.kept, left)


def _is_wanted(inventory: Inventory, service: Service) -> bool:
    """Whether a service runs in operation, isn't what ships and stores logs itself, and has no driver that ships."""
    found = services.product(inventory, service)
    aside = environments.is_for_developers(inventory, service) or services.is_one_shot(service)
    if service.log_driver not in _ON_THE_HOST:
        return False
    return not aside and (found is None or found.kind != "logs")


def _evidence(inventory: Inventory, shipper: LogShipper, kept: PathPattern, left: list[Service]) -> Evidence:
    names = listed((item.name for item in left), limit=5)
    own = any(services.product(inventory, item) is None for item in left)
    return Evidence(
        f"{shipper.file} keeps the logs of {listed(kept.path.strip('()').split('|'), limit=5)} alone: those of {names} "
        "stay on the host, and go with their containers.",
        kept.location,
        subject=f"{shipper.file}/kept",
        service=left[0].name,
        related=tuple(Related(item.location, f"{item.name} isn't kept") for item in left[:10]),
        severity=None if own else Severity.INFO,
        recommendation=f"Have {shipper.file} keep all containers of the project.",
        example=files.into(shipper.file, _LINES),
    )
