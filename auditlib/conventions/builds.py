"""Every way in which the repository builds an image: services of Compose, and Dockerfiles that no service builds; and
the images of others that a build takes files from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import images, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Build, Service
from auditlib.patterns import regex

_MANIFESTS = ("package.json", "requirements.txt", "pyproject.toml", "Pipfile", "go.mod", "pom.xml", "build.gradle")

_TOOLS = frozenset({"busybox", "composer", "golang", "maven", "gradle"})
"""Official images of tools from which files are taken; a stage is seldom called so."""
_ORIGIN = regex(r"--from=(?P<copied>\S+)|--mount=(?:\S{0,500},)?from=(?P<mounted>[^\s,]+)\S*")


def of(inventory: Inventory) -> Iterator[tuple[Service, Build, Dockerfile]]:
    """The services with their build and Dockerfile; for one that no service builds a service without a name.

    Of such a one the context is the only folder, its own or the root, that has all that it copies; where both have,
    its own if only that one holds a program's manifest.
    """
    used = set()
    for service in inventory.services:
        file = services.dockerfile(inventory, service)
        if file is not None and service.build is not None and not service.build.inline:
            used.add(file.path)
            yield service, service.build, file
    for file in inventory.dockerfiles:
        if file.path not in used and (folder := context(inventory, file)):
            build = Build(folder, file.path, "", (), file.location)
            yield Service("", "", "", file.location, file.location, build), build, file


def copies(file: Dockerfile) -> list[Instruction]:
    """The instructions that bring files of the context."""
    return [item for item in file.instructions if item.copies_context]


def borrowed(inventory: Inventory, file: Dockerfile) -> Iterator[tuple[str, Instruction]]:
    """The images of others that files are taken from: `COPY --from=node:22`, `RUN --mount=from=ghcr.io/acme/uv:1.0,…`.

    A bare word may be a named context of the build as well, unless it is a well-known image.
    """
    known = {stage.name for stage in file.stages}
    known |= {name for item in inventory.services if item.build for name in item.build.additional_contexts}
    for item in file.instructions:
        for match in map(_ORIGIN.fullmatch, item.flags):
            image = (match["copied"] or match["mounted"]) if match else ""
            named = image.lower() not in known and not image.isdigit()
            if named and (":" in image or "/" in image or image in _TOOLS or images.product(image)):
                yield image, item


def context(inventory: Inventory, file: Dockerfile) -> str:
    """The folder that a Dockerfile which no service builds is built from; empty where that can't be told."""
    sources = [source for item in copies(file) for source in item.words[:-1]]
    plain = [source for source in sources if not any(sign in source for sign in "*?[$<")]
    own = posixpath.dirname(file.path) or "."
    possible = [
        place for place in dict.fromkeys((own, "."))
        if all(_has(inventory, posixpath.normpath(posixpath.join(place, source.lstrip("/")))) for source in plain)
    ]  # fmt: skip
    if len(possible) > 1 and _is_program(inventory, own) and not _is_program(inventory, "."):
        return own
    return possible[0] if len(possible) == 1 else ""


def _is_program(inventory: Inventory, folder: str) -> bool:
    return any(posixpath.normpath(posixpath.join(folder, name)) in inventory.file_set for name in _MANIFESTS)


def _has(inventory: Inventory, path: str) -> bool:
    return path in inventory.file_set or path in inventory.folder_set
