"""A changed environment file is followed by a restart, which doesn't read it.

A container keeps the environment that it was made with. `docker compose restart` starts the same container again: the
new password, address or switch has no effect, and whoever followed the document believes that it has.

Anti-pattern:

    # README.md: set LOG_LEVEL in .env, then
    docker compose restart api

Better:

    docker compose up -d api  # which makes the container anew where its configuration has changed

Recommendation:

    Write `docker compose up -d` wherever an environment file or a Compose file was changed.

References:

- https://docs.docker.com/reference/cli/docker/compose/restart/
- https://docs.docker.com/reference/cli/docker/compose/up/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Mention
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all restarts after a change of an environment file that Compose reads."""
    found: defaultdict[str, list[Mention]] = defaultdict(list)
    for document in inventory.documents:
        for item in document.mentions:
            if item.kind == "restart" and _is_in_vain(inventory, item):
                found[document.path].append(item)
    for path, items in found.items():
        yield _evidence(inventory, path, items)


def _is_in_vain(inventory: Inventory, item: Mention) -> bool:
    """Whether the services that are restarted get their environment from Compose, and read no file by themselves."""
    call = compose_command.of(item.text.replace("`", " ").split())
    names = set(call.services) & set(inventory.services_by_name) if call else set()
    mine = [service for service in inventory.services if not names or service.name in names]
    given = any(service.env_files for service in mine) or any(_asks(inventory, service) for service in mine)
    return given and not any(map(_reads_by_itself, mine))


def _asks(inventory: Inventory, service: Service) -> bool:
    """Whether the environment of a service has variables that Compose fills in."""
    key = f"services.{service.name}.environment"
    return any(item.target.startswith(key) for item in inventory.variables)


def _reads_by_itself(service: Service) -> bool:
    """Whether the file, or the folder that it lies in, is mounted into the container."""
    return any(mount.kind == "bind" and (mount.source in ("", ".") or mount.source.endswith(".env"))
               for mount in service.mounts)  # fmt: skip


def _evidence(inventory: Inventory, path: str, items: list[Mention]) -> Evidence:
    first, *others = items
    instead = first.text.partition(" restart")[0] + " up -d" + first.text.partition(" restart")[2]
    return Evidence(
        f"{path} has its readers change an environment file and then call `{first.text}`, which starts the containers "
        "with the environment that they were made with: the change has no effect.",
        first.location,
        subject=path,
        related=tuple(Related(item.location, "restarts after a change too", member=True) for item in others),
        recommendation=f"Write `{instead[:80]}` in {path}, which makes the containers anew.",
        change=(" restart", " up -d"),
        example=files.into(path, instead),
    )
