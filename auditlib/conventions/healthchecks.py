"""Where the health check of a service is defined: in Compose, in its Dockerfile, or in its image."""

from __future__ import annotations

from auditlib.conventions import images, own_images, services
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.stack import Service
from auditlib.model import Location


def of(inventory: Inventory, service: Service) -> Location | None:
    """The place of a service's health check: Compose's own, or the HEALTHCHECK of the Dockerfile it is built from."""
    if service.healthcheck is not None:
        return None if service.healthcheck.disabled else service.healthcheck.location
    _, instructions = _built_from(inventory, service)
    last = next((item for item in reversed(instructions) if item.keyword == "HEALTHCHECK"), None)
    return last.location if last and last.argument.strip().upper() != "NONE" else None


def is_in_image(inventory: Inventory, service: Service) -> bool:
    """Whether the image that a service runs brings a check, as is known or the service says."""
    own = service.healthcheck is not None or service.build is not None
    return not own and (service.keeps_image_check or images.brings_healthcheck(service.image) is True)


def is_checked(inventory: Inventory, service: Service) -> bool:
    """Whether a service has a health check, of the repository or of its image."""
    return of(inventory, service) is not None or is_in_image(inventory, service)


def may_be_in_image(inventory: Inventory, service: Service) -> bool:
    """Whether the image that a service runs, or is built on, may bring a check that the repository can't show."""
    if service.healthcheck is not None:
        return False
    base = service.image
    builder = _builder(inventory, service)
    if builder.build is not None and services.dockerfile(inventory, builder) is None:
        return True
    if builder.build is not None or own_images.dockerfile(inventory, service):
        base, instructions = _built_from(inventory, service)
        if any(item.keyword == "HEALTHCHECK" for item in instructions):
            return False
    return base != "scratch" and images.brings_healthcheck(base) is None


def _built_from(inventory: Inventory, service: Service) -> tuple[str, tuple[Instruction, ...]]:
    """The image and the instructions of a service that is built, here or by a workflow that pushes its image."""
    pushed = own_images.dockerfile(inventory, service)
    if pushed and (service.project, service.image) not in inventory.image_builders:
        return services.final_stage(pushed)
    return services.built_from(inventory, _builder(inventory, service))


def _builder(inventory: Inventory, service: Service) -> Service:
    """The service that builds the image which this one runs: itself, or another one of the project."""
    if service.build is not None or not service.image:
        return service
    return inventory.image_builders.get((service.project, service.image), service)
