"""What users upload is written into the container, where no volume lies.

A container's own files end with it: at the next deployment a new one takes its place, and the pictures and documents
that users gave are gone. Nothing warns, as the first container wrote them without an error; a backup of the volumes
doesn't hold them either.

Anti-pattern:

    UPLOAD_FOLDER = "uploads"
    api: {build: .}

Better:

    api: {build: ., volumes: ["uploads:/app/uploads"]}
    # or a bucket of an object store, which several replicas share

Recommendation:

    Mount a volume at the folder of uploads and back it up, or keep the files in an object store.

References:

- https://docs.docker.com/engine/storage/volumes/
- https://github.com/expressjs/multer#diskstorage
- https://docs.djangoproject.com/en/stable/ref/settings/#media-root
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import code_traits, services, stacks
from auditlib.conventions.code_traits import Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _durability as durability
from auditlib.rules._rule import Evidence, rule

_TOLD = regex(r"UPLOAD|MEDIA|STORAGE|S3|BUCKET|MINIO|CLOUDINARY", re.I)
_PASSING = regex(r"(?:^|/)(?:tmp|temp|var/tmp)(?:/|$)")


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each deployed service that takes files the folder it writes them to, if nothing that lasts lies there."""
    found = code_traits.of(inventory, "upload")
    uses = code_traits.without(inventory, found, "stored away") if found else []
    takers = {item.key for use in code_traits.of(inventory, "takes files") for item in use.services} if uses else set()
    told: set[str] = set()
    for use in uses:
        for service in use.services:
            if service.key in takers - told and not durability.is_worker(inventory, service):
                told.add(service.key)
                if _is_lost(inventory, service, use.trait.word) and not _declares(inventory, service, use.trait.word):
                    yield _evidence(inventory, service, use)


def _is_lost(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether no variant of a service has a mount for a folder, and no variable names another place."""
    name = posixpath.basename(folder.rstrip("/"))
    variants = stacks.in_operation(inventory, service)
    if _PASSING.search(folder) or not name or any(_is_told(item) for item in variants):
        return False
    return not any(_may_hold(mount.target, folder, name) for item in variants for mount in item.mounts)


def _declares(inventory: Inventory, service: Service, folder: str) -> bool:
    """Whether the image says that a volume is to lie there, which Compose then makes and hands on."""
    steps = services.built_from(inventory, service)[1]
    targets = [word for step in steps if step.keyword == "VOLUME" for word in step.words]
    return any(_may_hold(target, folder, posixpath.basename(folder.rstrip("/"))) for target in targets)


def _is_told(service: Service) -> bool:
    return bool(service.env_files) or any(_TOLD.search(entry.name) for entry in service.environment)


def _may_hold(target: str, folder: str, name: str) -> bool:
    """Whether a mount lies at a folder, above it, or at one of its parts' names; of `/app` all that is in it."""
    parts = [part for part in folder.split("/") if part not in ("", ".", "..")]
    whole = target.count("/") == 1 or target.rstrip("/").endswith(("/app", "/src", "/html"))
    return whole or not {name, *parts}.isdisjoint(target.split("/"))


def _evidence(inventory: Inventory, service: Service, use: Use) -> Evidence:
    folder = use.trait.word
    inside = folder if folder.startswith("/") else posixpath.normpath(posixpath.join("/app", folder.lstrip("./")))
    shown = inside if folder.startswith("/") else f"<working folder>/{posixpath.relpath(inside, '/app')}"
    return Evidence(
        f"{service.name} writes what users upload to {folder}, and no volume lies there: the files are gone with the "
        "container at the next deployment.",
        use.trait.location,
        subject=f"{service.name}/uploads",
        service=service.name,
        related=(Related(service.location, f"{service.name} has no mount for it"),),
        recommendation=f"Mount a volume at {folder} in {service.name}, and back it up.",
        example=compose_lines.named_volume(service, shown, "uploads"),
    )
