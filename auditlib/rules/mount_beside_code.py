"""The source is mounted where the container doesn't look.

The image works in one folder and Compose mounts the source at another. What runs is what was copied when the image was
built: an edit has no effect until the next build, and files that the program writes stay in the container.

Anti-pattern:

    # Dockerfile: WORKDIR /app, COPY . .
    services:
      web:
        build: .
        volumes: [".:/code"]

Better:

    services:
      web:
        build: .
        volumes: [".:/app"]

Recommendation:

    Mount the source at the folder that the image works in, or leave the mount out.

References:

- https://docs.docker.com/reference/dockerfile/#workdir
- https://docs.docker.com/engine/storage/bind-mounts/
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import image_folders, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OF_CODE = regex(
    r"(?:/usr/src|/var/www|/srv|/opt|/home/[\w-]+|/root)?/(?:[\w-]*app|apps|code|src|source|site|api|web|www|html|server|"
    r"client|frontend|backend|worker|service|workdir|work|workspace|[\w-]+-(?:api|web|service))"
)
"""Folders in which people keep code; any other may hold what a program works on."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Dockerfile one finding for all mounts of its whole context that no folder of the code lies under."""
    found: defaultdict[tuple[str, str], list[tuple[Service, Mount]]] = defaultdict(list)
    for service in inventory.distinct_services:
        build = services.dockerfile(inventory, service)
        folders = image_folders.of_code(inventory, service)
        for mount in service.mounts if build and folders else ():
            beside = _is_source(service, mount) and not image_folders.reaches(mount, folders)
            if build and beside and not _is_named(inventory, service, mount.target):
                found[build.path, mount.target].append((service, mount))
    for (path, _), uses in found.items():
        yield _evidence(inventory, path, uses)


def _is_source(service: Service, mount: Mount) -> bool:
    """Whether the whole context of the build is mounted."""
    context = posixpath.normpath(service.build.context) if service.build else ""
    code = _OF_CODE.fullmatch(mount.target.rstrip("/"))
    return (
        bool(code) and mount.kind == "bind" and not mount.outside and posixpath.normpath(mount.source or ".") == context
    )


def _is_named(inventory: Inventory, service: Service, target: str) -> bool:
    """Whether anything that the image or Compose says names the place of the mount."""
    build = services.dockerfile(inventory, service)
    texts = [item.argument for item in (build.instructions if build else ())]
    texts += [word for start in starting.of(inventory, service) for word in start.words]
    texts += [entry.value.text for entry in service.environment if entry.value]
    return any(target.rstrip("/") in text for text in texts)


def _evidence(inventory: Inventory, path: str, uses: list[tuple[Service, Mount]]) -> Evidence:
    (service, mount), *others = uses
    names = listed(item.name for item, _ in uses)
    folder = next(iter(sorted(image_folders.of_code(inventory, service))))
    build = inventory.dockerfiles_by_path[path]
    work = next(item for item in build.instructions if item.keyword == "WORKDIR")
    return Evidence(
        f"{names} {'has' if not others else 'have'} the source mounted at {mount.target}, but the image of {path} "
        f"works in {folder}, and neither it nor Compose names {mount.target}: the mount has "
        "no effect.",
        mount.location,
        subject=f"{path}/{mount.target}",
        service=service.name,
        related=(
            Related(work.location, "the folder that the image works in"),
            *(Related(item.location, f"{other.name} mounts it there too", member=True) for other, item in others),
        ),
        recommendation=f"Mount the source of {names} at {folder}, or leave the mount out.",
        example=compose_lines.mount_of(service, mount.source, folder, mode=""),
    )
