"""A program that isn't root is to write into a folder that Docker makes for root.

Docker makes the missing source of a bind mount itself, as root. The images of Prometheus, Alertmanager, Grafana and
Loki run as users of their own and change no owner, unlike those of databases: on a new host they end with "permission
denied", and start again, and end again.

Anti-pattern:

    prometheus:
      image: prom/prometheus:v2.55.0      # runs as 65534
      volumes: ["/data/prometheus:/prometheus"]
    # and no step that makes /data/prometheus

Better:

    prometheus:
      image: prom/prometheus:v2.55.0
      volumes: ["prometheus-data:/prometheus"]

Recommendation:

    Use a named volume, which takes the owner of the image's folder, or make the folder with its owner before the start.

References:

- https://docs.docker.com/engine/storage/bind-mounts/
- https://docs.docker.com/engine/storage/volumes/#populate-a-volume-using-a-container
- https://grafana.com/docs/grafana/latest/setup-grafana/installation/docker/
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment, environments, image_users, services
from auditlib.conventions.image_users import ImageUser
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_GIVES = regex(r"\b(?:chown|setfacl|chmod|install\s[^\n]{0,80}-[od]|owner)\b")
"""What gives a folder to another user."""
_WORDS = frozenset({"chown", "setfacl", "65534", "472", "472:472", "65534:65534", "10001:10001"})


class _Folder(Struct, frozen=True):
    """A mount of a service, and the user that is to write there."""

    service: Service
    mount: Mount
    user: ImageUser


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all such folders, where nothing of the repository makes or gives them away."""
    by_project: dict[str, list[_Folder]] = {}
    for service in inventory.deployed_services:
        user = image_users.of(service)
        if user and not environments.is_for_developers(inventory, service):
            found = [_Folder(service, mount, user) for mount in service.mounts if _is_missing(inventory, mount, user)]
            by_project.setdefault(service.project, []).extend(found)
    if not any(by_project.values()) or _are_given(inventory):
        return
    for folders in by_project.values():
        if folders:
            yield _evidence(inventory, folders)


def _is_missing(inventory: Inventory, mount: Mount, user: ImageUser) -> bool:
    """Whether a mount holds the folder of a user, and its source is nothing that the repository brings."""
    if mount.kind != "bind" or mount.read_only or "$" in mount.source or mount.target.rstrip("/") != user.folder:
        return False
    return mount.outside or mount.source not in inventory.folder_set


def _are_given(inventory: Inventory) -> bool:
    """Whether a command, or a document, speaks of owners: nobody knows of which folder, then."""
    if any(_GIVES.search(" ".join(item.words)) for item in deployment.commands(inventory)
           if not {"+x", "755", "600"} & set(item.words)):  # fmt: skip
        return True
    if any(path.startswith(("ansible/", "infrastructure/ansible")) or "/ansible/" in path for path in inventory.files):
        return True
    if any(_GIVES.search(" ".join((*item.entrypoint, *item.command))) for item in inventory.services):
        return True
    return any(document.words & _WORDS for document in inventory.documents)


def _evidence(inventory: Inventory, folders: list[_Folder]) -> Evidence:
    first, *others = folders
    names = listed(item.service.name for item in folders)
    runs, writes = ("runs", "writes") if len(folders) == 1 else ("run", "write")
    sources = listed((item.mount.source for item in folders), limit=2)
    watching = all(services.is_watching(inventory, item.service) for item in folders)
    it = "it" if len(folders) == 1 else "them"
    return Evidence(
        f"{names} {runs} without root and {writes} to {sources}, which nothing here makes: unless somebody has given "
        f"{it} to that user, Docker makes {it} as root, and the start ends with a denied permission.",
        first.mount.location,
        subject=f"{first.service.project}/owners",
        service=first.service.name,
        related=tuple(
            Related(item.mount.location, f"{item.service.name} runs as {item.user.number}", member=True)
            for item in others
        ),
        recommendation=f"Make {listed((item.mount.source for item in folders), limit=2)} for the "
        f"{'user' if len(folders) == 1 else 'users'} of the image before the first start, or use a named volume.",
        severity=Severity.MEDIUM if watching else None,
        example="\n".join(_made(item) for item in folders),
    )


def _made(folder: _Folder) -> str:
    """The command that makes a folder with its owner."""
    source = folder.mount.source if folder.mount.outside else posixpath.join(".", folder.mount.source)
    return f"sudo install -d -o {folder.user.number} -g {folder.user.group} {shlex.quote(source)}"
