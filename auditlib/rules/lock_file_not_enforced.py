"""A build may install other versions than its lock file names.

`npm install` changes the lock file where it doesn't fit the manifest, and says nothing. What is built then was never
tested, and the next build may take something else again. `npm ci` installs what the lock file says, or fails.

Anti-pattern:

    COPY package.json package-lock.json ./
    RUN npm install

Better:

    COPY package.json package-lock.json ./
    RUN npm ci

Recommendation:

    Install from the lock file in images and in the pipeline, by the command that fails where it doesn't fit.

References:

- https://docs.npmjs.com/cli/commands/npm-ci
- https://classic.yarnpkg.com/en/docs/cli/install#toc-yarn-install-frozen-lockfile
- https://doc.rust-lang.org/cargo/commands/cargo-build.html#manifest-options
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, image_builds, image_sources, own_token, package_installs, services
from auditlib.conventions.image_sources import Sources
from auditlib.conventions.package_installs import FROM_LOCK, LOCKS
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Job
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CARGO = regex(r"^cargo\s+(?:\S+\s+){0,60}?(?:build|install\s+--path)\b(?!.*\s--(?:locked|frozen|offline)\b)")
_SWITCHED_OFF = frozenset({"--no-frozen-lockfile", "--frozen-lockfile=false", "--no-immutable", "--force"})
"""Options by which a manager is told not to hold to the lock file."""


class _Use(Struct, frozen=True):
    """A command that installs without holding to a lock file; `text` is all that stands at its place."""

    manager: str
    command: Command
    text: str
    in_image: bool


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each lock file that an image gets, or a workflow has, beside a command that doesn't hold to it."""
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    for lock, use in (*_of_images(inventory), *_of_workflows(inventory)):
        found[lock].append(use)
    for lock, uses in found.items():
        yield _evidence(lock, uses)


def _of_images(inventory: Inventory) -> Iterator[tuple[str, _Use]]:
    builders: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        if found := services.dockerfile(inventory, service):
            builders[found.path].append(service)
    for file in inventory.dockerfiles:
        if not environments.is_for_development(file.path):
            yield from _of_image(inventory, file, tuple(builders[file.path]))


def _of_image(inventory: Inventory, file: Dockerfile, built_by: tuple[Service, ...]) -> Iterator[tuple[str, _Use]]:
    for build in image_sources.contexts(inventory, file, built_by)[:1]:
        for item, sources in image_sources.of_stages(inventory, file, build):
            if item.keyword != "RUN" or image_builds.is_aside(file, item.stage):
                continue
            for command in item.commands:
                manager, folder = _loose(command, command.folder, in_ci=False, modern_yarn=False)
                if lock := _brought(sources, folder, manager) if manager else "":
                    yield lock, _Use(manager, command, item.argument, True)


def _brought(sources: Sources, folder: str, manager: str) -> str:
    """The lock file that the image has got in the folder where the manager works."""
    names = ("Cargo.lock",) if manager == "cargo" else LOCKS[manager][1]
    return next((path for name in names if (path := sources.find(posixpath.join(folder, name))[0])), "")


def _of_workflows(inventory: Inventory) -> Iterator[tuple[str, _Use]]:
    modern_yarn = any(posixpath.basename(path) == ".yarnrc.yml" for path in inventory.files)
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository and not _renews(job) else ():
            for command in step.commands:
                folder = workspace.folder(step, command)
                manager, where = _loose(command, folder, in_ci=True, modern_yarn=modern_yarn)
                for name in LOCKS[manager][1] if manager in LOCKS else ():
                    lock = posixpath.normpath(posixpath.join(where, name))
                    if lock in inventory.file_set:
                        yield lock, _Use(manager, command, step.run, False)
                        break


def _renews(job: Job) -> bool:
    """Whether a job proposes or commits what it has changed, and so may be there to renew the lock file."""
    return any("create-pull-request" in step.uses for step in job.steps) or any(own_token.changes(job))


def _loose(command: Command, folder: str, *, in_ci: bool, modern_yarn: bool) -> tuple[str, str]:
    """The manager of a command that installs all without holding to the lock file, and where; or nothing."""
    if _CARGO.search(" ".join(command.words)):
        return "cargo", folder
    found = package_installs.of(command.words, folder)
    if found is None or not found.whole or package_installs.follows_lock(found, in_ci=in_ci, modern_yarn=modern_yarn):
        return "", ""
    return found.manager, found.folder


def _evidence(lock: str, uses: list[_Use]) -> Evidence:
    first, *others = uses
    text = " ".join(first.command.words)
    strict = _strict(first, text)
    return Evidence(
        f"`{text[:80]}` in {first.command.location.file} takes other versions than {lock} names where that doesn't fit "
        "its manifest, instead of failing.",
        first.command.location,
        subject=lock,
        related=(
            Related(Location(lock), "names the versions"),
            *(Related(item.command.location, f"`{' '.join(item.command.words)[:80]}` too", member=True)
              for item in others),
        ),
        recommendation=_advice(first, lock, strict),
        severity=None if any(item.in_image and item.manager != "cargo" for item in uses) else Severity.LOW,
        change=("npm install", "npm ci") if _is_simple(first) else ("", ""),
        example=files.into(first.command.location.file, f"{'RUN' if first.in_image else '- run:'} {strict}"),
    )  # fmt: skip


def _advice(use: _Use, lock: str, strict: str) -> str:
    """Who switches the check off by an option may have had a lock file that doesn't fit."""
    if any(word in _SWITCHED_OFF for word in use.command.words):
        name = posixpath.basename(lock)
        return f"Bring {name} up to date; install by `{strict[:80]}`, which fails where it doesn't fit."
    return f"Install by `{strict[:80]}`, which fails where the lock file doesn't fit."


def _is_simple(use: _Use) -> bool:
    return use.manager == "npm" and use.text.count("npm install") == 1


def _strict(use: _Use, text: str) -> str:
    """The command that holds to the lock file."""
    if use.manager == "cargo":
        return text.replace("build", "build --locked", 1) if "build" in text else f"{text} --locked"
    if use.manager == "npm" and "npm install" in text:
        return text.replace("npm install", "npm ci", 1)
    loose = "--no-frozen-lockfile"
    return text.replace(loose, "--frozen-lockfile", 1) if loose in use.command.words else FROM_LOCK[use.manager]
