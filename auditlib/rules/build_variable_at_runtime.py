"""A variable that the front end takes in when it is built is given to the container that runs.

Vite, Next.js and their like write the values of such variables into the bundle. What the container is told later
reaches nobody: the browser has the address that stood in the code as the default.

Anti-pattern:

    # frontend/Dockerfile
    RUN npm run build
    # compose.yaml
    web:
      build: ./frontend
      environment:
        VITE_API_URL: https://api.shop.example.org

Better:

    # frontend/Dockerfile
    ARG VITE_API_URL
    RUN npm run build
    # compose.yaml
    web:
      build:
        context: ./frontend
        args:
          VITE_API_URL: https://api.shop.example.org

Recommendation:

    Pass the variable as a build argument, and declare it with `ARG` before the build.

References:

- https://vite.dev/guide/env-and-mode
- https://nextjs.org/docs/app/guides/environment-variables#bundling-environment-variables-for-the-browser
- https://docs.docker.com/reference/compose-file/build/#args
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import bundles, environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_DEVELOPS = regex(r"\b(?:dev|serve|start:dev|develop)\b")
_FILLS = regex(r"envsubst|\bsed\b|runtime-env|import-meta-env|__ENV|env\.sh|env-config")
"""How a container writes the values into the bundle after all, before it serves it."""
_SERVES = regex(r"(?:^|/)(?:server|backend|scripts)(?:/|\.[cm]?[jt]s$)")
"""Code beside the bundle that reads its variables when it runs."""
_LOCAL = regex(r"localhost|127\.0\.0\.1")
_Use = tuple[EnvironmentEntry, Setting]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each service one finding for all such variables that its code reads and its build doesn't get."""
    for service in inventory.deployed_services:
        given = [item for item in service.environment if item.value and bundles.VARIABLE.match(item.name)]
        file = services.dockerfile(inventory, service) if given else None
        build = service.build
        if file is None or build is None or build.inline or environments.is_for_developers(inventory, service):
            continue
        place = bundles.built_at(file)
        if place and not _may_be_filled(inventory, service, file) and not _has_file(inventory, service, build):
            lost = [use for entry in given if not _reaches(file, build, entry.name)
                    for use in _uses(inventory, build, entry)]  # fmt: skip
            if lost:
                yield _evidence(service, file, place, lost)


def _may_be_filled(inventory: Inventory, service: Service, file: Dockerfile) -> bool:
    """Whether a container builds, serves the code as it is, or writes values into the bundle."""
    starts = [" ".join((*service.entrypoint, *service.command))]
    starts += [item.argument for item in file.instructions if item.keyword in ("CMD", "ENTRYPOINT")]
    if any(bundles.BUILD.search(text) or _DEVELOPS.search(text) or ".sh" in text for text in starts):
        return True
    folder = service.build.folder if service.build else ""
    names = [path for path in inventory.files if mounts.is_below(path, folder)]
    texts = [item.argument for item in file.instructions]
    texts += [item.name for manifest in inventory.manifests for item in manifest.requirements]
    return any(map(_FILLS.search, (*names, *texts)))


def _has_file(inventory: Inventory, service: Service, build: Build) -> bool:
    """Whether an environment file may lie in the context, where the build finds it."""
    named = [item.path for item in service.env_files] + [item.path for item in inventory.env_files if not item.template]
    return any(posixpath.dirname(path) == build.folder for path in named)


def _reaches(file: Dockerfile, build: Build, name: str) -> bool:
    """Whether the build gets a variable, or is meant to."""
    declared = any(name in item.argument for item in file.instructions if item.keyword in ("ARG", "ENV", "RUN"))
    return declared or any(name == key for key, _ in build.arguments)


def _uses(inventory: Inventory, build: Build, entry: EnvironmentEntry) -> Iterator[_Use]:
    """Where the code in the context reads a variable, if what it falls back to is another value."""
    for item in inventory.settings:
        served = _SERVES.search(item.location.file)
        if item.name == entry.name and not served and mounts.is_below(item.location.file, build.folder):
            if not item.default or not entry.value or item.default.text != entry.value.text:
                yield entry, item
            return


def _evidence(service: Service, file: Dockerfile, place: Location, lost: list[_Use]) -> Evidence:
    (first, setting), *others = lost
    names = listed(entry.name for entry, _ in lost)
    default = setting.default.text if setting.default and setting.default.text else ""
    has = f"has {default} instead" if default else "has no value for it"
    local = any(item.default and _LOCAL.search(item.default.text) for _, item in lost)
    return Evidence(
        f"{service.name} is given {names} when it runs, but {file.path} builds the bundle without "
        f"{'it' if len(lost) == 1 else 'them'}: the browser {has}.",
        first.location,
        subject=f"{service.name}/{first.name}",
        service=service.name,
        related=(
            Related(place, "the bundle is built here, with the values of this moment"),
            Related(setting.location, f"reads {first.name}"),
            *(Related(entry.location, f"{entry.name} comes too late too", member=True) for entry, _ in others),
        ),
        recommendation=f"Pass {names} as `build.args` of {service.name}, and declare "
        f"{'it' if len(lost) == 1 else 'them'} with `ARG` in {file.path} before the build.",
        severity=Severity.HIGH if local else None,
        example=files.into(file.path, "\n".join(f"ARG {entry.name}" for entry, _ in lost)),
    )
