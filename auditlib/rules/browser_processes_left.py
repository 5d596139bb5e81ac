"""A program that starts browsers is the first process of its container, and nobody collects what they leave behind.

A headless browser starts processes of its own. When it ends, the kernel hands those to the first process, which has to
wait for them; Node.js waits for the processes alone that it started by itself. The others stay as zombies, some for
each page, until the container or its host has no number left for a new process.

Anti-pattern:

    worker:
      build: .                 # CMD ["node", "worker.js"], which calls puppeteer

Better:

    worker:
      build: .
      init: true               # Docker's own init is the first process

Recommendation:

    Set `init: true` for the service, or start it by tini or dumb-init.

References:

- https://pptr.dev/troubleshooting
- https://playwright.dev/docs/docker
- https://docs.docker.com/reference/compose-file/services/#init
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, images, own_images, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Manifest, Requirement
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_BROWSERS = frozenset({"puppeteer", "puppeteer-core", "puppeteer-extra", "playwright", "playwright-core"})
_FIRST = frozenset({"node", "npm", "npx", "yarn", "pnpm", "tsx", "nodemon", "ts-node"})
_COLLECT = ("puppeteer/puppeteer", "browserless", "phusion/baseimage", "s6-overlay")
"""Images whose first process collects."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for its services of Node.js that have such a library and no init."""
    found: dict[str, tuple[Service, Requirement]] = {}
    for service in inventory.deployed_services if any(map(_of_manifest, inventory.manifests)) else ():
        file = services.dockerfile(inventory, service) or own_images.dockerfile(inventory, service)
        if file and not environments.is_for_developers(inventory, service) and not _collects(service, file):
            library = next(filter(None, (_of_manifest(item) for item in _manifests(inventory, service, file))), None)
            if library:
                found[service.key] = (service, library)
    for mine in stacks.by_project(service for service, _ in found.values()).values():
        yield _evidence([found[item.key] for item in mine])


def _of_manifest(manifest: Manifest) -> Requirement | None:
    """The library that starts browsers, where an application of npm needs it when it runs."""
    needed = (item for item in manifest.requirements if item.group == "main" and item.name in _BROWSERS)
    return next(needed, None) if manifest.kind == "npm" else None


def _manifests(inventory: Inventory, service: Service, file: Dockerfile) -> Iterator[Manifest]:
    """The packages at the root of what an image is built from."""
    folder = posixpath.dirname(file.path)
    context = service.build.context if service.build else folder
    homes = {posixpath.normpath(context or "."), folder or "."}
    yield from (item for item in inventory.manifests if (posixpath.dirname(item.path) or ".") in homes)


def _collects(service: Service, file: Dockerfile) -> bool:
    """Whether the first process of a container waits for what others leave, or isn't known."""
    base, instructions = services.final_stage(file, service.build.target if service.build else "")
    last = {item.keyword: item.words for item in instructions if item.keyword in ("ENTRYPOINT", "CMD")}
    started = [*(service.entrypoint or last.get("ENTRYPOINT", ())), *(service.command or last.get("CMD", ()))]
    first = posixpath.basename(started[0]) if started else ""
    return service.init or first not in _FIRST or any(name in images.repository(base) for name in _COLLECT)


def _evidence(found: list[tuple[Service, Requirement]]) -> Evidence:
    (first, library), *others = found
    names = listed(service.name for service, _ in found)
    return Evidence(
        f"{names} {'has' if not others else 'have'} {library.name}, which starts browsers, and Node.js or npm as the "
        "first process, which collects none of the processes that browsers leave behind, unless none is started there.",
        first.location,
        subject=f"{first.project}/init",
        service=first.name,
        related=(
            Related(library.location, f"{library.name} is needed here"),
            *(Related(service.location, f"{service.name} has no init either", member=True) for service, _ in others),
        ),
        recommendation=f"Set `init: true` for {names}.",
        example=compose_lines.of_service(first, "init: true"),
    )
