"""An official image is given a variable that it doesn't read.

The name looks right and nothing complains. `REDIS_PASSWORD` protects no Redis of the official image, which takes its
password from `--requirepass`; `MONGO_PASSWORD` makes no user; `POSTGRES_NAME` makes no database.

Anti-pattern:

    services:
      cache:
        image: redis:7
        environment:
          REDIS_PASSWORD: ${REDIS_PASSWORD}    # the cache asks nobody for a password

Better:

    services:
      cache:
        image: redis:7
        command: ["redis-server", "--requirepass", "${REDIS_PASSWORD:?set it in .env}"]

Recommendation:

    Use the variable or option that the image documents, and remove the one that it doesn't read.

References:

- https://hub.docker.com/_/redis
- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mongo
- https://hub.docker.com/_/rabbitmq
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import image_variables, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every official image of a database or broker with variables of its own `environment` that it doesn't read."""
    for service in inventory.distinct_services:
        names = image_variables.unread(service.image) if service.build is None else frozenset()
        own = [item for item in service.environment if item.name in names and _is_for(inventory, service, item)]
        idle = [item for item in own if not _is_named(inventory, service, item.name)]
        if idle:
            yield _evidence(service, sorted(idle, key=lambda item: item.location))


def _is_for(inventory: Inventory, service: Service, entry: EnvironmentEntry) -> bool:
    """Whether a variable is meant for the image: its own, or a password of a file that no other service is given."""
    others = (item for item in inventory.services if item.key != service.key)
    return entry.origin == "environment" or (
        "PASS" in entry.name and not any(entry.location == item.location for one in others for item in one.environment)
    )


def _is_named(inventory: Inventory, service: Service, name: str) -> bool:
    """Whether the command, the health check, or a script that is mounted uses the variable."""
    words = [*service.entrypoint, *service.command, *(service.healthcheck.test if service.healthcheck else ())]
    scripts = [item for item in inventory.scripts if mounts.path_inside(service, item.path)]
    named = [item.names for item in inventory.named_variables if mounts.path_inside(service, item.path)]
    return (
        any(re.search(rf"\b{name}\b", word) for word in words)
        or any(name.lower() in names for names in named)
        or any(name in word for script in scripts for command in script.commands for word in command.words)
    )


def _evidence(service: Service, idle: list[EnvironmentEntry]) -> Evidence:
    first, *others = idle
    names = listed(item.name for item in idle)
    open_door = any("PASS" in item.name for item in idle)
    asks_nobody = open_door and ("redis" in service.image or _lets_everybody_in(service))
    return Evidence(
        f"{service.name} is given {names}, which the image {service.image} doesn't read"
        f"{': it is as open as without a password' if asks_nobody else ''}.",
        first.location,
        subject=f"{service.name}/{'/'.join(item.name for item in idle)}",
        service=service.name,
        related=tuple(Related(item.location, f"{item.name} isn't read either", member=True) for item in others),
        recommendation=f"Remove {names} from {service.name}, or use the names that {service.image} documents.",
        severity=Severity.MEDIUM if open_door else None,
    )


def _lets_everybody_in(service: Service) -> bool:
    """Whether MongoDB is given no first user, without which it asks nobody for a password."""
    given = {item.name for item in service.environment}
    told = service.command or service.entrypoint or any(name.startswith("MONGO_INITDB_ROOT_") for name in given)
    return "mongo" in service.image and not told
