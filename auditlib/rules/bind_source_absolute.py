"""A container reads a file of the repository from a fixed place of one host.

The repository holds the file, and Compose mounts it from an absolute path where nothing of the repository puts it. What
is changed and reviewed here is not what runs; on a new host the file isn't there, and Docker creates an empty folder in
its place, with which the program doesn't start.

Anti-pattern:

    prometheus:
      volumes: ["/root/monitoring/prometheus.yml:/etc/prometheus/prometheus.yml:ro"]
    # and prometheus.yml lies beside this file

Better:

    prometheus:
      volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Recommendation:

    Mount files of the repository by paths relative to the Compose file.

References:

- https://docs.docker.com/reference/compose-file/services/#volumes
- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_SYSTEM = regex(r"/(?:etc|var/(?:run|log|lib)|proc|sys|dev|run|usr|bin|lib|tmp)(?:/|$)")
_HOMES = frozenset({"/", "/root", "/home", "/opt", "/srv", "/mnt", "/data"})
"""Folders that are above what many do, so that a command that names one puts no file of this kind there."""
_BRINGS = regex(r"^(?:sudo\s+)?(?:cp|rsync|install|ln|scp|mv|git|tar|unzip|curl|wget|tee|cd|cat)\b|[>|]")
_COPIES = frozenset({"cp", "scp", "rsync", "install"})
_NAMED = 4


class _Copy(Struct, frozen=True):
    """A mount of a file that the repository has as well."""

    service: Service
    mount: Mount
    path: str


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Compose file the absolute mounts of files that the repository has, and that nothing brings there."""
    found: dict[str, dict[Location, _Copy]] = {}
    for service in inventory.distinct_services:
        for mount in service.mounts:
            path = _in_repository(inventory, mount) if mount.kind == "bind" and mount.outside else ""
            if path and not environments.only_for_development(service):
                found.setdefault(service.location.file, {}).setdefault(mount.location, _Copy(service, mount, path))
    brought = _brought(inventory) if found else []
    folders = {posixpath.dirname(place.mount.source) for copies in found.values() for place in copies.values()}
    filled = {folder for folder in folders if _is_filled(folder, brought)}
    for copies in found.values():
        left = [item for item in copies.values() if posixpath.dirname(item.mount.source) not in filled]
        if left:
            yield _evidence(left, _carried(inventory, left[0].service.location.file))


def _in_repository(inventory: Inventory, mount: Mount) -> str:
    """The file of the repository that has the name and the folder's name of what is mounted."""
    source = mount.source
    if not source.startswith("/") or "$" in source or _OF_SYSTEM.match(source) or not posixpath.splitext(source)[1]:
        return ""
    folder, name = posixpath.split(source)
    wanted = f"/{posixpath.basename(folder)}/{name}"
    return next((path for path in inventory.files_by_name.get(name, ()) if f"/{path}".endswith(wanted)), "")


def _brought(inventory: Inventory) -> list[str]:
    """What commands and documents say that may put files somewhere."""
    texts = [" ".join((*item.words, *item.writes)) for item in deployment.commands(inventory)]
    texts += [item.text for item in deployment.documented_commands(inventory)]
    return [text for text in texts if _BRINGS.search(text)]


def _is_filled(above: str, brought: list[str]) -> bool:
    """Whether something names a folder, or one above it that is nobody else's."""
    while above not in _HOMES:
        if any(above in text for text in brought):
            return True
        above = posixpath.dirname(above)
    return False


def _carried(inventory: Inventory, file: str) -> Location | None:
    """The command that copies the Compose file to another folder, to which its relative paths would lead."""
    for item in deployment.commands(inventory):
        words = item.words[1:] if item.words[:1] == ("sudo",) else item.words
        if words and words[0] in _COPIES and any(f"/{word}".endswith(f"/{file}") for word in words[1:-1]):
            return item.location
    return None


def _evidence(left: list[_Copy], carried: Location | None) -> Evidence:
    first, *others = left
    file = first.service.location.file
    names = listed((item.path for item in left), _NAMED)
    relative = posixpath.relpath(first.path, posixpath.dirname(file) or ".")
    shown = relative if relative.startswith(".") else f"./{relative}"
    return Evidence(
        f"{file} mounts {first.mount.source}, and nothing in the repository brings {names} there: what is changed here "
        "doesn't reach the containers, and a new host has none of it, unless somebody copies it by hand.",
        first.mount.location,
        subject=f"{file}/absolute",
        service=first.service.name,
        related=(
            *(Related(item.mount.location, f"so is {item.mount.source}", member=True) for item in others),
            *([Related(carried, f"copies {posixpath.basename(file)} alone")] if carried else []),
        ),
        recommendation=f"Bring {names} along where {carried.file} copies the Compose file."
        if carried
        else f"Mount `{shown}`{', and so for the others,' if others else ''} and no path of one host.",
        change=("", "") if carried else (f"{first.mount.source}:", f"{shown}:"),
        example="\n".join(f"install -D -m 644 {item.path} {item.mount.source}" for item in left[:_NAMED])
        if carried
        else compose_lines.mount_of(first.service, first.path, first.mount.target),
    )
