"""An image is built by a command that needs a lock file, and there is none.

`npm ci`, `pnpm install --frozen-lockfile` and `uv sync --locked` install what the lock file names. Without one they end
with an error, and the image can't be built anywhere but where somebody has a lock file that isn't in the repository.

Anti-pattern:

    COPY package*.json ./
    RUN npm ci  # the repository has no package-lock.json

Better:

    COPY package.json package-lock.json ./
    RUN npm ci

Recommendation:

    Make the lock file and commit it; copy it by its name, so that its absence is told at once.

References:

- https://docs.npmjs.com/cli/commands/npm-ci
- https://pnpm.io/cli/install
- https://docs.astral.sh/uv/concepts/projects/sync/
"""

from __future__ import annotations

import fnmatch
import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, git_ignores, image_builds, image_sources, package_installs, services
from auditlib.conventions.image_sources import Sources
from auditlib.conventions.package_installs import LOCKS, MAKES_LOCK
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules._rule import Evidence, rule

_OWN = {"npm": ("package-lock.json", "npm-shrinkwrap.json"), "pnpm": ("pnpm-lock.yaml",), "uv": ("uv.lock",)}


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each strict installation in a Dockerfile whose manifest is brought and whose lock file is nowhere around it."""
    builders: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        if found := services.dockerfile(inventory, service):
            builders[found.path].append(service)
    for file in inventory.dockerfiles:
        yield from _of_image(inventory, file, tuple(builders[file.path]))


def _of_image(inventory: Inventory, file: Dockerfile, built_by: tuple[Service, ...]) -> Iterator[Evidence]:
    texts = " ".join(item.argument for item in file.instructions if item.keyword == "RUN")
    for build in image_sources.contexts(inventory, file, built_by)[:1]:
        for item, sources in image_sources.of_stages(inventory, file, build):
            aside = item.keyword != "RUN" or image_builds.is_aside(file, item.stage)
            for command in () if aside else item.commands:
                manager = _strict(command)
                manifest = _manifest(sources, command, manager) if manager and not command.cannot_fail else ""
                if manifest and _is_made(file, item.stage, command, manager):
                    continue
                if manifest and not _may_have(inventory, manifest, manager, texts):
                    yield _evidence(inventory, file, command, manager, manifest)


def _strict(command: Command) -> str:
    """The manager of a command that fails without a lock file; empty for another command."""
    found = package_installs.of(command.words, command.folder)
    if found is None or not found.whole or found.manager not in _OWN:
        return ""
    return found.manager if found.needs_lock else ""


def _manifest(sources: Sources, command: Command, manager: str) -> str:
    """The file of the repository that the manager reads in the image; empty where none is known."""
    found = package_installs.of(command.words, command.folder)
    return sources.find(posixpath.join(found.folder if found else "", LOCKS[manager][0]))[0]


def _is_made(file: Dockerfile, stage: str, command: Command, manager: str) -> bool:
    """Whether a command before in the same stage leaves a lock file, as a plain `npm install` does, or a copy may bring
    that of another stage.
    """
    for item in services.final_stage(file, stage)[1]:
        if item.copies_image and _brings_one(file, item, manager):
            return True
        for other in item.commands if item.keyword == "RUN" else ():
            if other == command:
                return False
            found = package_installs.of(other.words, other.folder)
            installs = found is not None and found.manager == manager and not _strict(other)
            if installs or " ".join(other.words).startswith((MAKES_LOCK[manager], "pnpm import")):
                return True
    return False


def _brings_one(file: Dockerfile, item: Instruction, manager: str) -> bool:
    """Whether a copy out of another stage may bring a lock file: by its name, or with the whole folder of work."""
    homes = {other.argument.strip().rstrip("/") for other in file.instructions if other.keyword == "WORKDIR"}
    return any(
        source.rstrip("/") in homes or any(fnmatch.fnmatch(name, posixpath.basename(source)) for name in _OWN[manager])
        for source in item.words[:-1]
    )


def _may_have(inventory: Inventory, manifest: str, manager: str, texts: str) -> bool:
    """Whether a lock file lies beside the manifest or above it, or some command of the build speaks of one."""
    folder = posixpath.dirname(manifest)
    places = [folder]
    while folder:
        folder = posixpath.dirname(folder)
        places.append(folder)
    there = any(posixpath.join(place, name) in inventory.file_set for place in places for name in _OWN[manager])
    return there or any(name in texts for name in _OWN[manager]) or "lockfile-only" in texts or "lock-only" in texts


def _evidence(inventory: Inventory, file: Dockerfile, command: Command, manager: str, manifest: str) -> Evidence:
    text = " ".join(command.words)[:80]
    lock = posixpath.join(posixpath.dirname(manifest), _OWN[manager][0])
    folder = posixpath.dirname(manifest)
    make = f"(cd {folder} && {MAKES_LOCK[manager]})" if folder else MAKES_LOCK[manager]
    ignoring = git_ignores.left_out_by(inventory, lock)
    first = f"# without {posixpath.basename(lock)} in {ignoring}:\n" if ignoring else ""
    return Evidence(
        f"`{text}` in {file.path} needs a lock file, and the repository has none beside {manifest}: the image can't be "
        "built.",
        command.location,
        subject=f"{file.path}/{lock}",
        related=(Related(Location(manifest), "its dependencies"),),
        recommendation=f"Make {lock}{f', take it out of {ignoring}' if ignoring else ''} and commit it.",
        severity=Severity.LOW if environments.is_for_development(file.path) else None,
        example=f"{make}\n{first}git add {lock}",
    )
