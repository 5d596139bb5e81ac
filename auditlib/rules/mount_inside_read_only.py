"""Something is mounted below a folder that is mounted read-only and lacks the place for it.

Docker makes the place of a mount where it isn't there yet. Below a folder of the host that is mounted read-only it
can't: the container doesn't start (`read-only file system`), but where the host's folder happens to have a folder or
file of that name.

Anti-pattern:

    volumes:
      - /var/log:/var/log:ro
      - web_logs:/var/log/nginx:ro

Better:

    volumes:
      - /var/log:/host/log:ro
      - web_logs:/var/log/nginx:ro

Recommendation:

    Mount the two beside each other, or make the place in the folder of the host.

References:

- https://docs.docker.com/engine/storage/bind-mounts/
- https://github.com/opencontainers/runtime-spec/blob/main/config.md#mounts
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, git_ignores, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_ANY_HOST = frozenset({
    "/", "/dev", "/etc", "/home", "/media", "/mnt", "/opt", "/proc", "/run", "/srv", "/sys", "/usr", "/var",
    "/var/lib", "/var/lib/docker", "/var/log", "/var/log/journal", "/var/run", "/var/lib/docker/containers",
})  # fmt: skip
"""Folders that every host has."""

_Pair = tuple[Mount, Mount]


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service with a mount whose place is in a folder of the host that is mounted read-only and hasn't got it."""
    for service in inventory.distinct_services:
        found = [(outer, inner) for inner in service.mounts if (outer := _around(service, inner)) is not None]
        missing = [(outer, inner) for outer, inner in found if not _is_there(inventory, outer, inner)]
        by_outer: defaultdict[Mount, list[Mount]] = defaultdict(list)
        for outer, inner in missing:
            by_outer[outer].append(inner)
        for outer, inners in by_outer.items():
            yield _evidence(service, outer, inners)


def _around(service: Service, inner: Mount) -> Mount | None:
    """The mount that the place of another one is in, if it is a folder of the host, read-only."""
    target = inner.target.rstrip("/")
    above = [
        item for item in service.mounts if item.target.rstrip("/") != target and mounts.is_below(target, item.target)
    ]
    outer = max(above, key=lambda item: len(item.target), default=None)
    return outer if outer and outer.kind == "bind" and outer.read_only else None


def _is_there(inventory: Inventory, outer: Mount, inner: Mount) -> bool:
    """Whether the host's folder has the place, or nobody can tell from the files."""
    inside = posixpath.relpath(inner.target.rstrip("/"), outer.target.rstrip("/") or "/")
    path = posixpath.normpath(posixpath.join(outer.source, inside))
    if path == posixpath.normpath(inner.source or "."):
        return True
    if outer.outside or outer.source.startswith("/"):
        return outer.source not in _OF_ANY_HOST - {"/"} or path in _OF_ANY_HOST
    known = outer.source in inventory.folder_set
    made = bool(git_ignores.left_out_by(inventory, f"{path}/"))  # such as node_modules, which each checkout gets
    return not known or made or path in inventory.folder_set or path in inventory.file_set


def _evidence(service: Service, outer: Mount, inners: list[Mount]) -> Evidence:
    first, *others = inners
    places = listed(item.target for item in inners)
    beside = f"/host{outer.target.rstrip('/')}"
    one = not others
    inside = not (outer.outside or outer.source.startswith("/"))
    return Evidence(
        f"{service.name} has {outer.source or '.'} at {outer.target}, read-only, and {places} below it: unless "
        f"{outer.source or 'the folder'} has {'that folder' if one else 'those folders'} already, Docker can't make "
        f"{'it' if one else 'them'}, and the container doesn't start.",
        first.location,
        subject=f"{service.name}/{first.target}",
        service=service.name,
        related=(
            Related(outer.location, "what is read-only"),
            *(Related(item.location, f"{item.target} is below it too", member=True) for item in others),
        ),
        recommendation=f"Make the place for {places} in {outer.source or 'the folder'}, and keep it in the repository."
        if inside
        else f"Mount {outer.source or 'the folder'} at {beside} instead, or make {places} in it first.",
        severity=Severity.LOW if environments.only_for_development(service) else None,
        example="\n".join(_made(outer, item) for item in inners)
        if inside
        else compose_lines.of_service(service, f"volumes:\n  - {_source(outer)}:{beside}:ro  # and read it there"),
    )


def _made(outer: Mount, inner: Mount) -> str:
    """What makes the place in a folder of the repository: an empty file, or a folder that Git keeps."""
    inside = posixpath.relpath(inner.target.rstrip("/"), outer.target.rstrip("/") or "/")
    path = posixpath.normpath(posixpath.join(outer.source, inside))
    is_file = inner.kind == "bind" and bool(posixpath.splitext(inner.source)[1])
    name = shlex.quote(path if is_file else f"{path}/.gitkeep")
    return f"mkdir -p {shlex.quote(posixpath.dirname(path) if is_file else path)} && touch {name}"


def _source(mount: Mount) -> str:
    if mount.outside or mount.source.startswith("/"):
        return mount.source
    path = posixpath.relpath(mount.source or ".", posixpath.dirname(mount.location.file) or ".")
    return path if path.startswith(".") else f"./{path}"
