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

from auditlib.conventions import build_context, environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Dockerfile, Instruction
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_INSTALLS = frozenset({
    ("npm", "ci"), ("npm", "install"), ("npm", "i"), ("yarn", "install"), ("yarn",), ("pnpm", "install"),
    ("pnpm", "i"), ("bun", "install"),
})  # fmt: skip


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Dockerfile of a service with an installation that a copy of the whole folder follows, nothing excluded."""
    seen = set()
    for service in inventory.distinct_services:
        file = services.dockerfile(inventory, service)
        if file is None or service.build is None or file.path in seen or environments.is_for_development(file.path):
            continue
        seen.add(file.path)
        ignored = build_context.is_excluded(build_context.ignore_file(inventory, service.build), "node_modules/x/y.js")
        manifest = posixpath.normpath(posixpath.join(service.build.context or ".", "package.json"))
        if not ignored and manifest in inventory.file_set:
            yield from _overwritten(file, posixpath.join(posixpath.dirname(manifest), ".dockerignore"))


def _overwritten(file: Dockerfile, ignore_file: str) -> Iterator[Evidence]:
    """The first copy after an installation in the same stage, to the folder where that took place."""
    installed: dict[str, Instruction] = {}
    folders: dict[str, str] = {}
    for item in file.instructions:
        if item.keyword == "WORKDIR":
            folders[item.stage] = item.argument.strip("\"' ").rstrip("/")
        elif item.keyword == "RUN" and any(map(_installs, item.commands)):
            installed[item.stage] = item
        elif item.stage in installed and build_context.copies_everything(item):
            if item.words[-1].rstrip("/") in (".", folders.get(item.stage)):
                yield _evidence(file, item, installed[item.stage], ignore_file)
            return


def _installs(command: Command) -> bool:
    words = tuple(word for word in command.words if not word.startswith("-"))
    return words in _INSTALLS


def _evidence(file: Dockerfile, copy: Instruction, install: Instruction, ignore_file: str) -> Evidence:
    return Evidence(
        f"{copy.keyword} in {file.path} copies the whole folder after the packages were installed, and no "
        ".dockerignore excludes node_modules: those of whoever builds take the place of the installed ones.",
        copy.location,
        subject=file.path,
        related=(Related(install.location, "installs the packages"),),
        recommendation=f"Add `node_modules` to {ignore_file}.",
        example=files.into(ignore_file, "node_modules"),
    )
