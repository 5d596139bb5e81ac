"""A database keeps its files in a folder that the build of an image copies.

Once the database has run, the build copies its files into the image, or ends with "permission denied" because they
belong to another user; and every build sends them to the builder first.

Anti-pattern:

    db:
      image: postgres:17
      volumes: ["./pgdata:/var/lib/postgresql/data"]
    api:
      build: .          # COPY . .

Better:

    # .dockerignore
    pgdata/

Recommendation:

    Keep the data in a named volume, or exclude the folder with `.dockerignore`.

References:

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- https://docs.docker.com/engine/storage/volumes/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_context, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Instruction
from auditlib.inventory.stack import Build, Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every folder of data that a whole context holds and nothing excludes, with the first build that copies it."""
    for store in inventory.distinct_services:
        mount = services.keeps_data(store, services.product(inventory, store))
        if mount is None or mount.kind != "bind" or mount.outside:
            continue
        for service in inventory.distinct_services:
            copying = _copying(inventory, service)
            if copying and service.build and _is_sent(inventory, service.build, posixpath.normpath(mount.source)):
                yield _evidence(store, mount, service, copying)
                break


def _copying(inventory: Inventory, service: Service) -> Instruction | None:
    """The instruction that copies the whole context of a service's build."""
    file = services.dockerfile(inventory, service)
    return next((item for item in file.instructions if build_context.copies_everything(item)), None) if file else None


def _is_sent(inventory: Inventory, build: Build, folder: str) -> bool:
    """Whether a folder is in the context and `.dockerignore` leaves what is in it there."""
    context = posixpath.normpath(build.context or ".")
    inside = posixpath.relpath(folder, context)
    if not mounts.is_below(folder, "" if context == "." else context) or inside == ".":
        return False
    return not build_context.is_excluded(build_context.ignore_file(inventory, build), f"{inside}/base/1")


def _evidence(store: Service, mount: Mount, service: Service, copying: Instruction) -> Evidence:
    folder = posixpath.normpath(mount.source)
    return Evidence(
        f"{store.name} keeps its data in {folder}, which {copying.keyword} of {copying.location.file} copies with the "
        f"rest: once {store.name} has run, the image of {service.name} holds the data, or its build fails.",
        copying.location,
        subject=f"{service.name}/{folder}",
        service=service.name,
        related=(Related(store.location, f"{store.name} keeps its data there"),),
        recommendation=f"Add {folder} to .dockerignore, or give {store.name} a named volume.",
        example=compose_lines.named_volume(store, mount.target),
    )
