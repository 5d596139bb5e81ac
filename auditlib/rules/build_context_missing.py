"""A service is built from a folder or Dockerfile that the repository lacks.

`docker compose build` fails at once, and so does the first `up` on every machine but the author's.

Anti-pattern:

    api:
      build: ./backend  # there is no backend/Dockerfile

Better:

    api:
      build:
        context: .
        dockerfile: docker/api.Dockerfile

Recommendation:

    Correct the path, or commit what is missing.

References:

- https://docs.docker.com/reference/compose-file/build/#context
- https://docs.docker.com/reference/compose-file/build/#dockerfile
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import build_context, environments, lost_contexts
from auditlib.conventions.lost_contexts import LostContext
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SIGNS = frozenset(":$")
"""What stands in the address of a context, or in the name of a service's image."""
_INSTALLED = frozenset({"vendor", "node_modules"})
"""Folders that a package manager fills, as Composer does that of Laravel's Sail."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every missing folder or Dockerfile once, with all services that are built from it."""
    folders = build_context.folders(inventory)
    missing: dict[str, list[tuple[Service, Build]]] = {}
    for service in inventory.distinct_services:
        build = service.build
        if build is None or build.outside or "$" in build.context + build.dockerfile:
            continue
        for path in build.context_paths:
            inside = not path.startswith(("..", "/")) and not _SIGNS & set(path)
            if inside and path not in folders | inventory.file_set and not inventory.leads_through_link(path):
                missing.setdefault(path, []).append((service, build))
        if not _INSTALLED.isdisjoint(build.context.split("/")):
            continue
        if inventory.leads_through_link(build.context) or inventory.leads_through_link(build.dockerfile):
            continue
        if build.context not in folders:
            missing.setdefault(build.context, []).append((service, build))
        elif not build.inline and build.dockerfile not in inventory.file_set and not build.dockerfile.startswith(".."):
            missing.setdefault(build.dockerfile, []).append((service, build))
    for path, users in missing.items():
        yield _evidence(inventory, path, users)
    for lost in lost_contexts.of(inventory):
        yield _of_call(inventory, lost)


def _of_call(inventory: Inventory, lost: LostContext) -> Evidence:
    return Evidence(
        f"{lost.caller} builds an image from {lost.path}, which the repository doesn't have.",
        lost.location,
        subject=f"{lost.location.file}/{lost.path}",
        recommendation=f"Commit {lost.path}, or correct the path of the build.",
        confidence=Confidence.MEDIUM,
        example=files.committed([lost.path]),
    )


def _brought(inventory: Inventory, path: str, service: Service, build: Build) -> str:
    """The Dockerfile that is meant, where only one lies in the context; else how what is missing gets in."""
    found = build_context.meant(inventory, service)
    if found is None:
        return "git submodule update --init" if ".gitmodules" in inventory.file_set else files.committed([path])
    name = found.path if build.context == "." else found.path.removeprefix(f"{build.context}/")
    return compose_lines.of_service(service, f"build:\n  context: ./{build.context}\n  dockerfile: {name}")


def _evidence(inventory: Inventory, path: str, users: list[tuple[Service, Build]]) -> Evidence:
    submodules = ".gitmodules" in inventory.file_set
    (service, first), *others = users
    known = dict.fromkeys(item.name for item, _ in users)
    names = listed(known)
    doubt = ", unless a submodule brings it" if submodules else ""
    return Evidence(
        f"{names} {'is' if len(known) == 1 else 'are'} built from {path}, which the repository doesn't have{doubt}.",
        first.location,
        subject=path,
        service=service.name,
        related=tuple(Related(build.location, f"{item.name} is built from it", member=True) for item, build in others),
        recommendation=f"Commit {path}, or correct the `build` of {names}.",
        severity=Severity.LOW if all(environments.only_for_development(item) for item, _ in users) else None,
        confidence=Confidence.MEDIUM if submodules else None,
        example=_brought(inventory, path, service, first),
    )
