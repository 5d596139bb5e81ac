"""A build copies the `node_modules` of whoever builds over those that it has just installed.

Where somebody has worked in the folder, the image gets packages of another system, of other versions and for
development; the build of a fresh checkout gets others, so that the two behave differently.

Anti-pattern:

    RUN npm ci
    COPY . .          # no .dockerignore

Better:

    # .dockerignore
    node_modules

Recommendation:

    Add `node_modules` to `.dockerignore`.

References:

- https://docs.docker.com/build/concepts/context/#dockerignore-files
- https://github.com/nodejs/docker-node/blob/main/docs/BestPractices.md
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import build_context, environments, package_installs, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Build
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Dockerfile of a service with an installation that a copy of the whole folder follows, nothing excluded."""
    seen = set()
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        if file is None or service.build is None or file.path in seen or environments.is_for_development(file.path):
            continue
        seen.add(file.path)
        yield from _overwritten(inventory, service.build, file)


def _overwritten(inventory: Inventory, build: Build, file: Dockerfile) -> Iterator[Evidence]:
    """The first copy after an installation in the same stage, to the folder where that took place."""
    installed: dict[str, Instruction] = {}
    folders: dict[str, str] = {}
    for item in file.instructions:
        if item.keyword == "WORKDIR":
            folders[item.stage] = item.argument.strip("\"' ").rstrip("/")
        elif item.keyword == "RUN" and any(map(package_installs.of_node, item.commands)):
            installed[item.stage] = item
        elif item.stage in installed and item.copies_context and (source := _package(inventory, build, item)):
            if item.words[-1].rstrip("/") in (".", folders.get(item.stage)):
                yield _evidence(file, item, installed[item.stage], build, source)
            return


def _package(inventory: Inventory, build: Build, item: Instruction) -> str:
    """The folder of a package that an instruction copies whole, its node_modules with it; empty if there is none."""
    ignore = build_context.ignore_file(inventory, build)
    for source in item.words[:-1]:
        inside = posixpath.normpath(source.lstrip("/") or ".")
        manifest = build_context.path_outside(build, posixpath.join(inside, "package.json"))
        packages = posixpath.normpath(posixpath.join(inside, "node_modules/x/y.js"))
        if manifest in inventory.file_set and not build_context.is_excluded(ignore, packages):
            return inside
    return ""


def _evidence(file: Dockerfile, copy: Instruction, install: Instruction, build: Build, source: str) -> Evidence:
    ignore_file = build_context.path_outside(build, ".dockerignore")
    pattern = posixpath.normpath(posixpath.join(source, "node_modules"))
    folder = "the whole folder" if source == "." else f"the whole folder {source}"
    return Evidence(
        f"{copy.keyword} in {file.path} copies {folder} after the packages were installed, and no .dockerignore "
        "excludes node_modules: those of whoever builds take the place of the installed ones.",
        copy.location,
        subject=file.path,
        related=(Related(install.location, "installs the packages"),),
        recommendation=f"Add `{pattern}` to {ignore_file}.",
        example=files.into(ignore_file, pattern),
    )
