"""RabbitMQ keeps its data under the name of a host that changes.

RabbitMQ names its node after the host, `rabbit@<hostname>`, and keeps queues, users and bindings in a folder of that
name. A container without `hostname` is called by its own random id: once it is created anew, by an update or by
`docker compose down`, the broker begins an empty folder beside the old one, and what waited in its queues is gone from
sight, though the volume still holds it.

Anti-pattern:

    rabbitmq:
      image: rabbitmq:4.1
      volumes: ["rabbitmq-data:/var/lib/rabbitmq"]

Better:

    rabbitmq:
      image: rabbitmq:4.1
      hostname: rabbitmq
      volumes: ["rabbitmq-data:/var/lib/rabbitmq"]

Recommendation:

    Give RabbitMQ a fixed `hostname`, or a fixed node name by RABBITMQ_NODENAME.

References:

- https://hub.docker.com/_/rabbitmq
- https://www.rabbitmq.com/docs/relocate
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, kept_data, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NODE_NAMES = frozenset({"RABBITMQ_NODENAME", "RABBITMQ_MNESIA_DIR", "RABBITMQ_MNESIA_BASE"})
_SETTINGS = frozenset({"/etc/rabbitmq", "/etc/rabbitmq/rabbitmq-env.conf"})
"""Where a file may name the node as well."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every RabbitMQ that keeps its data in a lasting mount, and whose node is named after a random host."""
    for service in inventory.distinct_services:
        found = services.product(inventory, service)
        if found is None or found.name != "RabbitMQ" or _is_named(inventory, service):
            continue
        kept = kept_data.keeps_data(service, found)
        if kept and not environments.only_for_development(service):
            yield _evidence(service, kept)


def _is_named(inventory: Inventory, service: Service) -> bool:
    """Whether the node may have a name that lasts; Bitnami's image gives it one by itself."""
    if any(item.hostname or item.network_mode for item in inventory.versions(service)) or service.build:
        return True
    if "bitnami" in service.image or not images.repository(service.image).endswith("rabbitmq"):
        return True
    told = any(entry.name in _NODE_NAMES for entry in service.environment)
    settings = any(mount.target.rstrip("/") in _SETTINGS for mount in service.mounts)
    return told or settings or services.lacks_env_file(inventory, service)


def _evidence(service: Service, kept: Mount) -> Evidence:
    return Evidence(
        f"{service.name} (RabbitMQ) keeps its data under the name of its host, and has no `hostname`: each new "
        "container gets another name and starts with empty queues.",
        service.location,
        subject=f"{service.name}/hostname",
        service=service.name,
        related=(Related(kept.location, "the data that a new container doesn't find"),),
        recommendation=f"Set `hostname: {service.name}`; what is in the queues now stays under the old name, so drain "
        "them first.",
        example=compose_lines.of_service(service, f"hostname: {service.name}"),
    )
