"""Packages are installed in whatever version is newest on the day of the build.

Two builds of the same commit hold different programs. A package that breaks with its new version breaks the next build
or the next start, nobody can go back to what ran yesterday, and a version with a backdoor is installed within the hour.

Anti-pattern:

    # requirements.txt
    flask
    sqlalchemy>=2
    # web/Dockerfile; package-lock.json stands beside package.json
    COPY package.json ./
    RUN npm install

Better:

    # requirements.txt, made by `pip-compile` or `uv pip compile` from requirements.in
    flask==3.1.2
    sqlalchemy==2.0.44
    # web/Dockerfile
    COPY package.json package-lock.json ./
    RUN npm ci

Recommendation:

    Commit a lock file or a file of constraints with all versions, copy it before the packages are installed, and let
    Renovate or Dependabot raise it.

References:

- https://pip.pypa.io/en/stable/topics/repeatable-installs/
- https://docs.npmjs.com/cli/commands/npm-ci
- https://pip.pypa.io/en/stable/user_guide/#constraints-files
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from auditlib.conventions import git_ignores, image_builds, image_sources, package_installs, services
from auditlib.conventions.image_sources import Copied, Sources
from auditlib.conventions.package_installs import FROM_LOCK, LOCKS, Installs
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.inventory.dockerfile import Dockerfile, Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.pipeline import building
from auditlib.rules import _files as files
from auditlib.rules import _package_lines as package_lines
from auditlib.rules._package_lines import NAMED, Use
from auditlib.rules._rule import Evidence, rule

_REQUIREMENTS = "requirements.txt"
_EXACT = regex(r"=?v?\d+\.\d+\.\d+(?:-[\w.]+)?")
"""A constraint of package.json that one version meets."""
_WITHOUT_DEV = frozenset({"--omit=dev", "--production", "--only=production", "--only=prod", "--prod", "--no-dev"})
_PYTHON = regex(r"(?:^|/)python:(\d+\.\d+)")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file that leaves versions open and is installed from, and for each Dockerfile that does."""
    open_files: defaultdict[str, list[Use]] = defaultdict(list)
    unlocked: defaultdict[str, list[Use]] = defaultdict(list)
    left_out: dict[tuple[str, str], Use] = {}
    named: defaultdict[str, list[Use]] = defaultdict(list)
    builders = _builders(inventory)
    unbuilt = building.by_nothing(inventory)
    for file in inventory.dockerfiles:
        for item, installs, sources in _of_image(inventory, file, builders[file.path]):
            aside = image_builds.is_aside(file, item.stage) or file.path in unbuilt
            use = Use(item.location, installs, file.path, aside=aside, command=item.argument, python=_python(file))
            if installs.unpinned and not installs.constrained:
                named[file.path].append(use)
            for path, copied in _requirements_of(installs, sources) if not installs.constrained else ():
                open_files[path].append(replace(use, copied=copied))
            if installs.whole and not installs.needs_lock:
                _take_locks(inventory, use, sources, unlocked, left_out)
    for use, path in _of_workflows(inventory):
        (open_files if use.installs.files else unlocked)[path].append(use)
    manifests = {item.path: item for item in inventory.manifests}
    for path, uses in open_files.items():
        yield from _of_requirements(manifests.get(path), uses)
    for path, uses in _by_workspace(unlocked).items():
        yield from _without_lock(inventory, path, manifests.get(path), uses)
    for (path, lock), use in left_out.items():
        yield _lock_left_out(path, lock, use)
    together: defaultdict[str, dict[str, list[Use]]] = defaultdict(dict)
    for path, uses in named.items():
        beside = _beside(inventory, path, uses[0])
        together[beside or path][path] = uses
    for key, images in together.items():
        yield _of_unused(key, images) if key not in images else _of_names(key, images[key])


def _by_workspace(found: dict[str, list[Use]]) -> dict[str, list[Use]]:
    """By manifest; a package below another one without a lock counts for that, the root of the workspace."""
    merged: defaultdict[str, list[Use]] = defaultdict(list)
    for path in sorted(found, key=lambda item: item.count("/")):
        name, folder, home = posixpath.basename(path), posixpath.dirname(path), path
        while folder:
            folder = posixpath.dirname(folder)
            above = posixpath.join(folder, name)
            home = above if above in found else home
        merged[home] += found[path]
    return merged


def _builders(inventory: Inventory) -> defaultdict[str, list[Service]]:
    """The services that are built from each Dockerfile."""
    found: defaultdict[str, list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        if dockerfile := services.dockerfile(inventory, service):
            found[dockerfile.path].append(service)
    return found


def _of_image(
    inventory: Inventory, file: Dockerfile, built_by: list[Service]
) -> Iterator[tuple[Instruction, Installs, Sources]]:
    """What the build of an image installs, each with what it has got from its context before."""
    if any("PIP_CONSTRAINT" in item.argument for item in file.instructions):
        return
    for build in image_sources.contexts(inventory, file, tuple(built_by))[:1]:
        for item, sources in image_sources.of_stages(inventory, file, build):
            yield from ((item, found, sources) for found in _installs(item))


def _installs(item: Instruction) -> Iterator[Installs]:
    for command in item.commands:
        if found := package_installs.of(command.words, command.folder):
            yield found


def _requirements_of(installs: Installs, sources: Sources) -> Iterator[tuple[str, Copied | None]]:
    for name in installs.files:
        path, copied = sources.find(posixpath.join(installs.folder, name))
        if path:
            yield path, copied


def _python(file: Dockerfile) -> str:
    bases = (_PYTHON.search(item.argument) for item in file.instructions if item.keyword == "FROM")
    return next((found[1] for found in bases if found), "")


def _take_locks(
    inventory: Inventory,
    use: Use,
    sources: Sources,
    unlocked: defaultdict[str, list[Use]],
    left_out: dict[tuple[str, str], Use],
) -> None:
    """Sort an installation of all that a manifest asks for: no lock file at all, or one that the build doesn't get."""
    name, _ = LOCKS[use.installs.manager]
    path, copied = sources.find(posixpath.join(use.installs.folder, name))
    if not path:
        return
    locks = _locks(inventory, path, use.installs.manager)
    start = f"{sources.context}/" if sources.context else ""
    inside = [lock[len(start) :] for lock in locks if lock.startswith(start)]
    if not locks:
        unlocked[path].append(replace(use, copied=copied))
    elif inside and not any(sources.brings(lock) for lock in inside):
        ignore = sources.ignore.path if sources.ignore and sources.is_excluded(inside[0]) else ""
        left_out.setdefault((path, start + inside[0]), replace(use, copied=copied, excluded=ignore))


def _locks(inventory: Inventory, manifest: str, manager: str) -> list[str]:
    """The lock files beside a manifest, or above it, where the root of a workspace is."""
    found, folder = [], posixpath.dirname(manifest)
    while True:
        found += [path for name in LOCKS[manager][1] if (path := posixpath.join(folder, name)) in inventory.file_set]
        if not folder or found:
            return found
        folder = posixpath.dirname(folder)


def _of_workflows(inventory: Inventory) -> Iterator[tuple[Use, str]]:
    """What the steps of workflows install from files that leave the versions open."""
    for job in inventory.jobs:
        workspace = Workspace(inventory, job)
        for step in job.steps if workspace.holds_repository else ():
            for command in step.commands:
                found = package_installs.of(command.words, workspace.folder(step, command))
                if found and not found.constrained:
                    yield from _from_files(inventory, Use(command.location, found))


def _from_files(inventory: Inventory, use: Use) -> Iterator[tuple[Use, str]]:
    folder = use.installs.folder
    for name in use.installs.files:
        yield use, posixpath.normpath(posixpath.join(folder, name))
    if use.installs.whole and not use.installs.needs_lock:
        path = posixpath.normpath(posixpath.join(folder, LOCKS[use.installs.manager][0]))
        known = path in inventory.file_set and not _locks(inventory, path, use.installs.manager)
        if known and not use.installs.files and not _is_library(inventory, path):
            yield use, path


def _is_library(inventory: Inventory, path: str) -> bool:
    """Whether it is a package of Ruby, which has no lock file by custom."""
    folder = posixpath.dirname(path)
    return path.endswith("Gemfile") and any(
        item.endswith(".gemspec") and posixpath.dirname(item) == folder for item in inventory.files
    )


def _of_requirements(manifest: Manifest | None, uses: list[Use]) -> Iterator[Evidence]:
    """A file of requirements that is installed and names packages without a version."""
    if manifest is None or manifest.kind != "python" or manifest.constrained:
        return
    found = [item for item in manifest.requirements if package_installs.is_open(item.constraint)]
    if found:
        first, *others = found
        named = {item.name: item for item in found}.values()
        packages = counted(len({item.name for item in manifest.requirements}), "package")
        yield Evidence(
            f"{manifest.path} leaves the version of {len(named)} of {packages} open: "
            f"{listed((_shown(item) for item in named), NAMED)}; {_where(uses)} takes the newest.",
            first.location,
            subject=manifest.path,
            related=(
                *(Related(item.location, f"{item.name} has no fixed version", member=True) for item in others),
                *(Related(use.location, "installs from it") for use in uses),
            ),
            recommendation=f"Write the versions that run today into {manifest.path}, or into a file of constraints "
            "that the installation is given with `-c`.",
            severity=_severity(uses),
            example=package_lines.constraints(manifest, uses),
        )


def _shown(item: Requirement) -> str:
    return f"{item.name} {item.constraint}".strip()


def _where(uses: list[Use]) -> str:
    image = next((use.image for use in uses if use.image), "")
    return f"the build of {image}" if image else f"{uses[0].location.file}"


def _severity(uses: list[Use]) -> Severity | None:
    return None if any(use.is_for_production for use in uses) else Severity.LOW


def _without_lock(inventory: Inventory, path: str, manifest: Manifest | None, uses: list[Use]) -> Iterator[Evidence]:
    """A manifest that is installed from and has no lock file, beside it or above."""
    left = _left_out_of(uses)
    wanted = [item for item in manifest.requirements if item.group not in left] if manifest else []
    if manifest and not wanted:
        return
    loose = [item for item in wanted if not _EXACT.fullmatch(item.constraint)]
    manager = uses[0].installs.manager
    name = package_lines.lock_name(manager)
    ignoring = git_ignores.left_out_by(inventory, posixpath.join(posixpath.dirname(path), name))
    out = f", which {ignoring} is not to leave out" if ignoring else ""
    named = f" for {_counted(loose, wanted)} ({listed((item.name for item in loose), NAMED)})" if loose else ""
    yield Evidence(
        f"{path} has no lock file: {_where(uses)} chooses the versions{named}{' and' if named else ''} of all that "
        f"{_needing(loose, wanted)} anew each time.",
        (loose or wanted)[0].location if wanted else Location(path),
        subject=path,
        related=tuple(Related(use.location, f"{use.installs.manager} installs from it") for use in uses),
        recommendation=f"Commit {name} beside {path}{out}, and install by `{FROM_LOCK[manager]}`.",
        severity=_severity(uses),
        example=package_lines.lock(path, manager, uses, ignoring),
    )


def _left_out_of(uses: list[Use]) -> set[str]:
    """The groups of packages that the build which is told of doesn't install."""
    image = next((use.image for use in uses if use.image), "")
    told = [use for use in uses if use.image == image]
    return {"peer", *(("dev",) if all(use.installs.options & _WITHOUT_DEV for use in told) else ())}


def _counted(loose: list[Requirement], wanted: list[Requirement]) -> str:
    """How many packages have no version of their own, and of how many."""
    if len(loose) == len(wanted):
        return counted(len(wanted), "package")
    return f"{len(loose)} of {counted(len(wanted), 'package')}"


def _needing(loose: list[Requirement], wanted: list[Requirement]) -> str:
    """What asks for the packages whose versions only a lock file could fix."""
    if not wanted:
        return "it asks for"
    return "they need" if len(loose) == len(wanted) else "these and the others need" if loose else "its packages need"


def _lock_left_out(path: str, lock: str, use: Use) -> Evidence:
    """A lock file that the repository has and that the image doesn't get before its packages are installed."""
    name, manager = posixpath.basename(lock), use.installs.manager
    why = f"{use.excluded} keeps it out" if use.excluded else "no COPY before it brings that"
    place = use.copied.instruction.location if use.copied else use.location
    return Evidence(
        f"{lock} fixes the versions, but the build of {use.image} installs without it: {why}, so that {manager} takes "
        "the newest.",
        place,
        subject=f"{use.image}/{name}",
        related=(Related(use.location, f"{manager} installs here"), Related(Location(lock), "has the versions")),
        recommendation=f"Copy {name} together with {posixpath.basename(path)}, and install by `{FROM_LOCK[manager]}`.",
        severity=_severity([use]),
        change=package_lines.with_lock(path, name, use),
        example=package_lines.copying(path, name, use),
    )


def _beside(inventory: Inventory, path: str, use: Use) -> str:
    """The file of requirements that a Dockerfile copies and installs nothing from; empty without one."""
    own = [item for file in inventory.dockerfiles if file.path == path for item in file.instructions]
    copied = (word for item in own if item.copies_context for word in item.words[:-1])
    name = next((word for word in copied if posixpath.basename(word) == _REQUIREMENTS), "")
    used = any(_REQUIREMENTS in item.argument for item in own if item.keyword == "RUN")
    return "" if used or use.installs.manager != "pip" else name


def _of_names(path: str, uses: list[Use]) -> Evidence:
    """A Dockerfile that names packages without a version in its commands."""
    places = {use.location: use for use in uses}
    (first, use), *others = places.items()
    names = list(dict.fromkeys(name for item in uses for name in item.installs.unpinned))
    return Evidence(
        f"The build of {path} installs {listed(names, NAMED)} in whatever version is newest.",
        first,
        subject=f"{path}/names",
        related=tuple(
            Related(place, f"so are {listed(item.installs.unpinned, NAMED)}", member=True) for place, item in others
        ),
        recommendation=f"Name the version of {listed(names, NAMED)} in {path}, or install from a file that does.",
        severity=None if use.is_for_production else Severity.LOW,
        example=files.into(path, package_lines.pinned(use.installs)),
    )


def _of_unused(requirements: str, images: dict[str, list[Use]]) -> Evidence:
    """Dockerfiles that copy a file of requirements and name packages without a version beside it."""
    uses = [use for found in images.values() for use in found]
    names = list(dict.fromkeys(name for use in uses for name in use.installs.unpinned))
    one = len(images) == 1
    first, *others = dict.fromkeys(use.location for use in uses)
    return Evidence(
        f"The {'build' if one else 'builds'} of {listed(images)} {'copies' if one else 'copy'} {requirements} and "
        f"{'installs' if one else 'install'} nothing from it: {listed(names, NAMED)} come in whatever version is "
        "newest.",
        first,
        subject=f"{next(iter(images))}/names",
        related=tuple(Related(place, "installs by name too", member=True) for place in others),
        recommendation=f"Write the versions into {requirements}, and have {listed(images, limit=3)} install from it.",
        severity=_severity(uses),
        example=files.into(next(iter(images)), f"RUN pip install --no-cache-dir -r {requirements}"),
    )
