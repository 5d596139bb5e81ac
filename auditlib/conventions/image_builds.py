"""Which stages of which Dockerfiles become images that run in production, and for which services.

Follows https://docs.docker.com/build/building/multi-stage/ and https://docs.docker.com/reference/compose-file/build/.
"""

from __future__ import annotations

import itertools
import posixpath
from collections import defaultdict

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import environments, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_ASIDE_STAGE = regex(r"(?:^|[._-])(?:dev|devel|development|local|tests?|testing|ci|e2e|debug|lint)(?=$|[._-])")
_OF_PRODUCTION = regex(r"[._-]prod(?:uction)?$")


class Built(Struct, frozen=True):
    """An image: a stage of a Dockerfile (`target`, empty for the last one), and the services that run it."""

    dockerfile: Dockerfile
    target: str
    services: tuple[Service, ...] = ()

    @property
    def base(self) -> str:
        """The image of others that it is built on in the end."""
        return services.final_stage(self.dockerfile, self.target)[0]

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """All that shapes it, earlier stages' instructions first."""
        return services.final_stage(self.dockerfile, self.target)[1]


def for_production(inventory: Inventory) -> list[Built]:
    """The images of the repository that aren't for development or tests alone, in the order of their Dockerfiles.

    What only services for development build is for development too, where Compose has others that are not.
    """
    uses: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
    aside: set[str] = set()
    for service in inventory.distinct_services:
        found = services.dockerfile(inventory, service)
        deployed = _in_production(inventory, service)
        instead = services.dockerfile(inventory, deployed) if deployed else None
        if deployed and deployed.build and found and instead:
            aside.add(found.path)
            uses[instead.path, services.built_stage(instead, deployed.build.target)].append(deployed)
        elif found and environments.is_for_developers(inventory, service):
            aside.add(found.path)
        elif found and service.build:
            uses[found.path, services.built_stage(found, service.build.target)].append(service)
    composed, told = {path for path, _ in uses} | (aside if uses else set()), _targets(inventory)
    composed |= _of_overlays_for_development(inventory) if uses else set()
    beside = {_without_stage(path) for path in composed if stages.names_production(posixpath.basename(path))}
    for found in inventory.dockerfiles:
        if found.path not in composed | beside:
            for target in sorted(told & {stage.name for stage in found.stages}) or [services.built_stage(found)]:
                uses[found.path, target] = []
    return [
        Built(inventory.dockerfiles_by_path[path], target, tuple(mine))
        for (path, target), mine in sorted(uses.items(), key=lambda item: item[0])
        if not is_aside(inventory.dockerfiles_by_path[path], target)
    ]


def _in_production(inventory: Inventory, service: Service) -> Service | None:
    """The service as an overlay for production has it (`compose.prod.yml`), where that builds another image."""
    for other in reversed(inventory.versions(service)):
        changes = other.build is not None and other.build != service.build and other.changed_at is not None
        if changes and other.changed_at and stages.names_production(posixpath.basename(other.changed_at.file)):
            return other
    return None


def _of_overlays_for_development(inventory: Inventory) -> set[str]:
    """The Dockerfiles of services as an overlay for development has them, which production builds from others."""
    files = ((item, item.changed_at.file) for item in inventory.services if item.changed_at)
    changed = [item for item, file in files if ".override." in file or environments.is_for_development(file)]
    return {found.path for item in changed if (found := services.dockerfile(inventory, item))}


def _without_stage(path: str) -> str:
    """`docker/Dockerfile.api` of `docker/Dockerfile.api.prod`: the one for development, which has no word for it."""
    return _OF_PRODUCTION.sub("", path)


def is_aside(found: Dockerfile, target: str = "") -> bool:
    """Whether an image is for development or tests by the name of its Dockerfile or stage."""
    return not found.stages or environments.is_for_development(found.path) or bool(_ASIDE_STAGE.search(target))


def _targets(inventory: Inventory) -> frozenset[str]:
    """The stages that workflows ask for."""
    given = [pair.value for step in inventory.steps for pair in step.inputs if pair.name == "target"]
    for step in inventory.steps:
        for command in step.commands:
            words = command.words
            given += [word for before, word in itertools.pairwise(words) if before == "--target"]
            given += [word.partition("=")[2] for word in words if word.startswith("--target=")]
    return frozenset(name.lower() for name in given)


def folder(built: Built) -> str:
    """The build context as far as it is known: Compose's, else the folder of the Dockerfile; empty for the root."""
    contexts = [item.build.context for item in built.services if item.build and not item.build.outside]
    found = posixpath.normpath(contexts[0] if contexts else posixpath.dirname(built.dockerfile.path) or ".")
    return "" if found == "." else found
