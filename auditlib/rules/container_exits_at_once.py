"""A service's image has no program to run.

An image that only extends one of a language or a distribution, without a command of its own, starts that one's: an
interpreter or a shell. Without a terminal it reads the end of its input and exits, so that the container is gone as
soon as it starts, or restarts for ever.

Anti-pattern:

    # Dockerfile: FROM python:3.12-slim, COPY . . and no CMD
    services:
      proxy:
        build: .

Better:

    services:
      proxy:
        image: nginx:1.27

Recommendation:

    Give the image a CMD or the service a `command`, or name the image that was meant.

References:

- https://docs.docker.com/reference/dockerfile/#cmd
- https://docs.docker.com/engine/containers/run/#foreground-and-background
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import compose_calls, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_STARTS = {
    "python": "Python's interpreter", "node": "Node's interpreter", "ruby": "Ruby's interpreter", "golang": "a shell",
    "alpine": "a shell", "busybox": "a shell", "debian": "a shell", "ubuntu": "a shell", "openjdk": "a shell",
    "eclipse-temurin": "a shell", "rust": "a shell", "amazoncorretto": "a shell",
}  # fmt: skip
"""What these images start by themselves (their Dockerfiles in https://github.com/docker-library)."""

_PROGRAMS = {
    "python": 'python, "<file that starts the program>"', "node": 'node, "<file that starts the program>"',
    "ruby": 'ruby, "<file that starts the program>"', "openjdk": 'java, "-jar", "<jar of the program>"',
    "eclipse-temurin": 'java, "-jar", "<jar of the program>"', "amazoncorretto": 'java, "-jar", "<jar of the program>"',
}  # fmt: skip
"""How programs are started in these images."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service without a command whose image starts nothing but an interpreter or a shell."""
    for service in inventory.distinct_services:
        if not _is_told(inventory, service):
            if service.build is None and (started := _STARTS.get(images.repository(service.image))):
                yield _evidence(service, service.image, started)
            elif found := _of_build(inventory, service):
                yield _evidence(service, *found)


def _is_told(inventory: Inventory, service: Service) -> bool:
    """Whether a command is given, in whichever file, or by hand, or something may stay: a terminal, a shell.

    A service of a profile, or one that some call names, is started by `docker compose run`, with a terminal; one whose
    image others run is there to be built, and a container for development is kept running by the editor.
    """
    versions = inventory.versions(service) or [service]
    if service.profiles or any(item.command or item.entrypoint or item.has_terminal for item in versions):
        return True
    if any(item.replicas == 0 for item in versions) or "/.devcontainer/" in f"/{service.location.file}":
        return True
    called = any(
        call.verb == "run" and service.name in call.arguments for call, _ in compose_calls.everywhere(inventory)
    )
    return called or _is_for_others(inventory, service)


def _is_for_others(inventory: Inventory, service: Service) -> bool:
    """Whether a service is there for its image, from which others start or are built, or for its volumes."""
    others = [item for item in inventory.services_of(service.project).values() if item.name != service.name]
    volumes = any(wait.service == service.name and wait.implicit for item in others for wait in item.dependencies)
    names = {f"service:{service.name}", f"docker-image://{service.image}"}
    further = any(path in names for item in others if item.build for path in item.build.context_paths)
    image = service.image.removesuffix(":latest")
    bases = {stage.base.removesuffix(":latest") for file in inventory.dockerfiles for stage in file.stages}
    shared = image and (image in bases or any(item.image.removesuffix(":latest") == image for item in others))
    return bool(service.build and (shared or further)) or bool(service.mounts and volumes)


def _of_build(inventory: Inventory, service: Service) -> tuple[str, str] | None:
    """The image that a build starts from, if its stages name no program, and what that one starts."""
    base, instructions = services.built_from(inventory, service)
    started = _STARTS.get(images.repository(base))
    named = any(item.keyword in ("CMD", "ENTRYPOINT") for item in instructions)
    return None if named or started is None else (base, started)


def _evidence(service: Service, base: str, started: str) -> Evidence:
    how = f"is built from {base}" if service.build else f"runs {base}"
    return Evidence(
        f"{service.name} {how}, and neither its image nor Compose names a command: it starts {started} "
        "without a terminal, which ends at once.",
        service.build.location if service.build else service.image_location,
        subject=service.name,
        service=service.name,
        related=(Related(service.location, f"{service.name} has no `command`"),),
        recommendation=f"Give {service.name} a `command`, or name the image that was meant.",
        example=compose_lines.of_service(service, f"command: [{_PROGRAMS.get(images.repository(base), '<program>')}]"),
    )
