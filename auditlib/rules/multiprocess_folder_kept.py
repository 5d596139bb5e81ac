"""The folder in which a program's processes share their metrics outlives the container.

Python's client library keeps a file for each process there, and reads all of them at each scrape. Files of processes
that are long gone stay in a volume: gauges of dead workers are added up with those of the living ones, and after many
restarts each scrape reads hundreds of files.

Anti-pattern:

    api:
      environment: {PROMETHEUS_MULTIPROC_DIR: /metrics}
      volumes: ["metrics:/metrics"]

Better:

    api:
      environment: {PROMETHEUS_MULTIPROC_DIR: /metrics}
      tmpfs: [/metrics]

Recommendation:

    Give the folder to `tmpfs`, or empty it before the workers start.

References:

- https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NAME = "PROMETHEUS_MULTIPROC_DIR"
_EMPTIES = regex(r"\brm\b|\bfind\b.*-delete")
_KEPT = frozenset({"volume", "bind"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service whose folder lies in a mount that is kept, where no command empties it."""
    for service in inventory.distinct_services:
        entry = next((item for item in service.environment if item.name.upper() == _NAME and item.value), None)
        folder = posixpath.normpath(entry.value.text) if entry and entry.value else ""
        mount = mounts.holding(service, folder) if folder.startswith("/") else None
        if entry and mount and mount.kind in _KEPT and not _is_emptied(inventory, service, folder):
            yield _evidence(service, entry, mount, folder)


def _is_emptied(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether a command of the container, or a script of the repository, removes what is in the folder."""
    texts = [" ".join((*service.entrypoint, *service.command))]
    texts += [" ".join(item.words) for item in services.commands(inventory, service)]
    texts += [" ".join(command.words) for script in inventory.scripts for command in script.commands]
    named = (text for text in texts if folder in text or _NAME in text.upper())
    return any(map(_EMPTIES.search, named))


def _evidence(service: Service, entry: EnvironmentEntry, mount: Mount, folder: str) -> Evidence:
    what = f"the volume {mount.source}" if mount.kind == "volume" and mount.source else "a mount of the host"
    return Evidence(
        f"{service.name} has its processes share their metrics in {folder}, which lies in {what}, and no command "
        "empties it: unless the code does, files of processes that are gone are added up for ever.",
        entry.location,
        subject=f"{service.name}/{_NAME}",
        service=service.name,
        related=(Related(mount.location, f"{what} is kept"),),
        recommendation=f"Give {folder} of {service.name} to `tmpfs` in place of {what}.",
        severity=Severity.INFO if environments.only_for_development(service) else None,
        example=compose_lines.of_service(service, f"tmpfs: [{folder}]  # in place of {what}"),
    )
