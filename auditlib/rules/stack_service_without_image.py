"""A stack of Swarm has a service that is built and names no image.

`docker stack deploy` builds nothing: it passes over `build` and asks each host for the image. A service without one is
refused ("invalid image reference … no image specified"), and with it the deployment.

Anti-pattern:

    # docker stack deploy -c compose.yaml shop
    web:
      build: .

Better:

    web:
      image: ghcr.io/acme/web:${VERSION:?}
      build: .

Recommendation:

    Name an image beside `build`, and build and push it before the stack is deployed.

References:

- https://docs.docker.com/reference/cli/docker/stack/deploy/
- https://docs.docker.com/engine/swarm/stack-deploy/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each set of files that is deployed as a stack one finding for all services that have a build alone."""
    told: set[frozenset[str]] = set()
    for files, place in (*_by_commands(inventory), *_by_themselves(inventory)):
        known = any(files <= others for others in told)
        built = [] if known else _built_only(inventory, files)
        told.add(files)
        if built:
            yield _evidence(built, place)


def _by_commands(inventory: Inventory) -> Iterator[tuple[frozenset[str], Location | None]]:
    known = {file for project in inventory.projects for file in project.files}
    for command in deployment.commands(inventory):
        written = compose_command.of_stack(command.words)
        if written and not any("$" in item or item == "-" for item in written):
            folders = (command.folder, posixpath.dirname(command.location.file), "")
            yield _resolved(written, folders, known), command.location


def _resolved(written: tuple[str, ...], folders: tuple[str, ...], known: set[str]) -> frozenset[str]:
    """The files that a command means: in a folder that it runs in, or in the only one that has them all."""
    for folder in folders:
        files = {posixpath.normpath(posixpath.join(folder, item)) for item in written}
        if files <= known:
            return frozenset(files)
    every = {posixpath.dirname(file) for file in known}
    fitting = [found for folder in every if (found := {posixpath.join(folder, item) for item in written}) <= known]
    return frozenset(fitting[0]) if len(fitting) == 1 else frozenset()


def _by_themselves(inventory: Inventory) -> Iterator[tuple[frozenset[str], Location | None]]:
    yield from ((frozenset(item.files), None) for item in inventory.projects if item.for_swarm)


def _built_only(inventory: Inventory, files: frozenset[str]) -> list[Service]:
    """The services of these files that none of them gives an image."""
    mine = [item for item in inventory.services if item.location.file in files]
    named = {item.name for item in mine if item.image}
    found = {item.name: item for item in mine if item.build is not None and item.name not in named}
    return list(found.values())


def _evidence(built: list[Service], place: Location | None) -> Evidence:
    first, *others = built
    one = not others
    where = f"{place.file} deploys" if place else f"{first.location.file} is for Swarm, and has"
    names = listed(item.name for item in built)
    return Evidence(
        f"{where} {names} {'as a stack' if place else 'in it'}, "
        f"{'which has' if one else 'which have'} a build and no image: Swarm builds nothing, and refuses "
        f"{'it' if one else 'them'}.",
        place or first.location,
        subject="/".join(item.name for item in built),
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} names no image", member=place is None)
                      for item in (built if place else others)),
        recommendation=f"Name an image for {names}, built and pushed before the deployment.",
        example=compose_lines.of_service(first, f"image: <your registry>/{first.name}:${{VERSION:?}}"),
    )  # fmt: skip
