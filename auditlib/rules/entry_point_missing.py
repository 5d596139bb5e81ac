"""A service starts a module or script that its build does not hold.

The image builds, and the container ends at once: "Could not import module", "No such file or directory", "Missing
script". It is found out at the first start, by whoever deploys.

Anti-pattern:

    api:
      build: ./backend
      command: uvicorn app.server:app  # the module is app/main.py

Better:

    api:
      build: ./backend
      command: uvicorn app.main:app

Recommendation:

    Correct the name in the command, or add what it names.

References:

- https://www.uvicorn.org/settings/
- https://docs.docker.com/reference/compose-file/services/#command
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import build_context, entry_points, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every command of a service built here that names what neither its context nor its mounts hold."""
    for service in inventory.services:
        build = service.build
        if build is None or build.outside or build.inline or services.dockerfile(inventory, service) is None:
            continue
        words, place = _command(inventory, service)
        files = _files(inventory, service)
        if entry_points.copies_nothing(inventory, service):
            continue
        for what, missing in entry_points.missing(inventory, words, files, build.context):
            yield Evidence(
                f"{service.name} starts {what}, but {missing} is neither in {build.context} nor in what it mounts.",
                place,
                subject=f"{service.name}/{what}",
                service=service.name,
                related=(Related(build.location, f"{service.name} is built from {build.context}"),),
                recommendation=f"Correct {what} in the command of {service.name}, or add {missing}.",
            )


def _command(inventory: Inventory, service: Service) -> tuple[list[str], Location]:
    """The words that start a service: Compose's own, or those of the Dockerfile."""
    words, place = [*service.entrypoint, *service.command], service.command_location or service.location
    found = services.dockerfile(inventory, service)
    if not words and found and service.build:
        _, instructions = services.final_stage(found, service.build.target)
        for item in [item for item in instructions if item.keyword == "CMD"][-1:]:
            words, place = list(item.words), item.location
    return [part for word in words for part in word.split()], place


def _files(inventory: Inventory, service: Service) -> list[str]:
    places = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
    places += [service.build.context] if service.build else []
    mounted = [path for path in places if path in inventory.file_set]
    return mounted + [path for place in places for path in build_context.files(inventory, place)]
