"""A store in a stack of Swarm may start on a host that doesn't have its volume.

A local volume lies on one host. Where nothing says on which host a service is to run, Swarm starts it on any that has
room, after a failure too: there it gets a new, empty volume, and the data seem lost until somebody finds them.

Anti-pattern:

    redis:
      volumes: [redis-data:/data]
      deploy: {replicas: 1}

Better:

    redis:
      volumes: [redis-data:/data]
      deploy:
        placement:
          constraints: [node.labels.store == true]

Recommendation:

    Bind the service to the host of its volume by a constraint, or give it a volume that all hosts share.

References:

- https://docs.docker.com/engine/swarm/services/#placement-constraints
- https://docs.docker.com/engine/swarm/services/#data-volumes
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_LOCAL = frozenset({"", "local"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each stack that places some services one finding for the stores with a local volume that it doesn't."""
    volumes = stacks.by_project(inventory.volumes)
    for project in inventory.deployed_projects:
        mine = list(inventory.services_of(project.name).values()) if project.for_swarm else []
        placed = next((item for item in mine if item.placed), None)
        local = {
            item.name
            for item in volumes.get(project.name, [])
            if item.driver in _LOCAL and not item.external and not item.has_options
        }
        free = [
            (item, mount)
            for item in mine
            if placed and not item.placed and services.is_datastore(inventory, item)
            for mount in [next((each for each in item.mounts if each.kind == "volume" and each.source in local), None)]
            if mount
        ]
        if placed and free:
            yield _evidence(project.name, placed, free)


def _evidence(project: str, placed: Service, free: list[tuple[Service, Mount]]) -> Evidence:
    (first, mount), *others = free
    names = listed(item.name for item, _ in free)
    one = not others
    place: Location = mount.location
    return Evidence(
        f"{names} {'keeps its data in a local volume' if one else 'keep their data in local volumes'} and may start on "
        f"any host, while {placed.name} is bound to one: with a second host {'it starts' if one else 'they start'} "
        "there without data.",
        place,
        subject=f"{project}/placement",
        service=first.name,
        related=(
            *(Related(each.location, f"the volume of {item.name}", member=True) for item, each in others),
            Related(placed.location, f"{placed.name} has a placement"),
        ),
        recommendation=f"Bind {names} to the host of {'its volume' if one else 'their volumes'} by a constraint.",
        example=compose_lines.of_service(
            first, "deploy:\n  placement:\n    constraints: [node.hostname == <the host of its volume>]"
        ),
    )
