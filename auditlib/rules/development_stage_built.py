"""A build takes the last stage of a Dockerfile, and that one is for development.

Without a target Docker builds the last stage. Where the one for production stands above it, what is pushed or deployed
is the image with the debug mode, the packages and the server of developers.

Anti-pattern:

    FROM python:3.13-slim AS production
    CMD ["gunicorn", "app:app"]
    FROM production AS development
    CMD ["flask", "run", "--debug"]
    # .github/workflows/ci.yml
    - uses: docker/build-push-action@v6
      with: {push: true, tags: ghcr.io/example/shop:latest}

Better:

    - uses: docker/build-push-action@v6
      with: {push: true, tags: ghcr.io/example/shop:latest, target: production}

Recommendation:

    Name the stage that is meant by `target`, or put the one for production last.

References:

- https://docs.docker.com/build/building/multi-stage/#stop-at-a-specific-build-stage
- https://github.com/docker/build-push-action#inputs
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Step
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FOR_DEVELOPMENT = regex(
    r"\b(?:run|yarn|pnpm|bun) (?:dev|watch|test)\b|start:dev|--(?:reload|watch|debug)\b|nodemon|runserver|debugpy|"
    r"\bair\b"
)
"""Commands that nobody deploys with."""
_OF_DEVELOPMENT = regex(r"[:-](?:dev|develop|development|test|ci|debug|edge)\b")
"""A tag that says that this image is the one for development."""


class _Use(Struct, frozen=True):
    """A build without a target: who builds, where that is said, and the lines that name the stage."""

    who: str
    location: Location
    lines: str


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Dockerfile that ends with a stage for development, and that a push or a deployed service builds whole."""
    wanted = {file.path: stage for file in inventory.dockerfiles if (stage := services.meant_stage(file))}
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    for path, use in (*_pushed(inventory, wanted), *_deployed(inventory, wanted)) if wanted else ():
        found[path].append(use)
    for path, uses in found.items():
        yield _evidence(inventory.dockerfiles_by_path[path], wanted[path], uses)


def _pushed(inventory: Inventory, wanted: dict[str, str]) -> Iterator[tuple[str, _Use]]:
    """The steps that push an image of all stages."""
    for step in inventory.steps:
        inputs = {pair.name: pair.value for pair in step.inputs}
        pushes = step.uses.startswith("docker/build-push-action@") and inputs.get("push", "false") != "false"
        meant = "target" in inputs or _OF_DEVELOPMENT.search(inputs.get("tags", ""))
        path = _file(step, inputs) if pushes and not meant else ""
        if path in wanted:
            lines = files.into(step.workflow, f"- uses: {step.uses}\n  with:\n    target: {wanted[path]}")
            yield path, _Use(f"The job {step.job} pushes", step.location, lines)


def _file(step: Step, inputs: dict[str, str]) -> str:
    context = inputs.get("context", ".")
    return posixpath.normpath(inputs.get("file") or posixpath.join(context, "Dockerfile"))


def _deployed(inventory: Inventory, wanted: dict[str, str]) -> Iterator[tuple[str, _Use]]:
    """The deployed services that are built of all stages."""
    for service in inventory.deployed_services:
        file = services.dockerfile(inventory, service)
        whole = service.build is not None and not service.build.target
        if file and whole and file.path in wanted and not _is_for_developers(inventory, service):
            lines = compose_lines.of_service(service, f"build:\n  target: {wanted[file.path]}")
            yield file.path, _Use(f"{service.name} runs", service.location, files.into(service.location.file, lines))


def _is_for_developers(inventory: Inventory, service: Service) -> bool:
    """Whether a service is for development by what it says, or by code of the host that lies over the image's; or an
    overlay names a stage for what is deployed.
    """
    versions = inventory.versions(service)
    named = any(item.build is not None and item.build.target for item in versions)
    asked = any(entry.value and environments.names_environment(entry.name) and
                environments.is_development(entry.value.text) for entry in service.environment)  # fmt: skip
    commanded = _FOR_DEVELOPMENT.search(" ".join((*service.entrypoint, *service.command)))
    at_hand = named or asked or commanded or any(_is_code(inventory, service, mount) for mount in service.mounts)
    return bool(at_hand) or environments.is_for_developers(inventory, service)


def _is_code(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a mount brings a folder of what the image is built from."""
    inside = mount.kind == "bind" and not mount.outside and mount.source not in inventory.file_set
    context = posixpath.normpath(service.build.context) if service.build else ""
    return inside and (context == "." or mounts.is_below(posixpath.normpath(mount.source or "."), context))


def _evidence(file: Dockerfile, meant: str, uses: list[_Use]) -> Evidence:
    first, *others = uses
    last = file.stages[-1]
    return Evidence(
        f"{first.who} the last stage of {file.path}, {last.name}: no target names {meant}.",
        first.location,
        subject=file.path,
        related=(
            Related(last.location, f"the last stage is {last.name}"),
            *(Related(use.location, f"{use.who} it", member=True) for use in others),
        ),
        recommendation=f"Name {meant} as the target wherever {file.path} is built for production.",
        example=first.lines,
    )
