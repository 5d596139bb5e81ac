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

import msgspec

from auditlib.conventions import build_context, environments, kept_data, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Build, Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every folder of data that a whole context holds and nothing excludes, with the first build that copies it."""
    copying = list(_copying(inventory))
    for store in inventory.distinct_services if copying else ():
        mount = kept_data.keeps_data(store, services.product(inventory, store))
        if mount is None or mount.kind != "bind" or mount.outside:
            continue
        for service, build, instruction in copying:
            inside = _inside(inventory, build, posixpath.normpath(mount.source))
            if inside:
                file = inventory.dockerfiles_by_path[instruction.location.file]
                found = _evidence(store, mount, service, file, instruction, _ignored(inventory, build, inside))
                quiet = environments.is_for_developers(inventory, store)
                yield msgspec.structs.replace(found, severity=Severity.LOW) if quiet else found
                break


def _copying(inventory: Inventory) -> Iterator[tuple[Service, Build, Instruction]]:
    """The services with the first instruction of their build that copies its whole context."""
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        for item in file.instructions if file and service.build else ():
            if build_context.copies_everything(item) and service.build:
                yield service, service.build, item
                break


def _inside(inventory: Inventory, build: Build, folder: str) -> str:
    """Where a folder lies in the context; empty if it doesn't, or `.dockerignore` leaves out what is in it."""
    context = posixpath.normpath(build.context or ".")
    inside = posixpath.relpath(folder, context)
    if not mounts.is_below(folder, "" if context == "." else context) or inside == ".":
        return ""
    excluded = build_context.is_excluded(build_context.ignore_file(inventory, build), f"{inside}/base/1")
    return "" if excluded else inside


def _ignored(inventory: Inventory, build: Build, inside: str) -> tuple[str, str]:
    """The line that leaves the folder out, and the file that it belongs in."""
    ignore = build_context.ignore_file(inventory, build)
    return inside, ignore.path if ignore else build_context.path_outside(build, ".dockerignore")


def _evidence(
    store: Service, mount: Mount, service: Service, file: Dockerfile, copying: Instruction, ignored: tuple[str, str]
) -> Evidence:
    line, ignore = ignored
    _, final = services.final_stage(file, service.build.target if service.build else "")
    holds = f"the image of {service.name}" if copying in final else f"a layer of {service.name}'s build"
    folder = posixpath.normpath(mount.source)
    return Evidence(
        f"{store.name} keeps its data in {folder}, which {copying.keyword} of {copying.location.file} copies with the "
        f"rest: once {store.name} has run, {holds} holds the data, or the build fails.",
        copying.location,
        subject=f"{service.name}/{folder}",
        service=service.name,
        related=(Related(store.location, f"{store.name} keeps its data there"),),
        recommendation=f"Add {line} to {ignore}, or give {store.name} a named volume.",
        example=files.into(ignore, line),
    )
