"""Images that a service pulls by their names and that a workflow of the repository pushes: from which Dockerfile."""

from __future__ import annotations

from auditlib.conventions import environments, images, pushed_images
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service


def dockerfile(inventory: Inventory, service: Service) -> Dockerfile | None:
    """The repository's only Dockerfile, where a service runs the image that a workflow pushes; else none is sure."""
    name = images.repository(service.image).rpartition("/")[2]
    foreign = service.build is not None or not name or images.product(service.image) is not None
    return None if foreign or name not in _pushed(inventory) else _only(inventory)


def _only(inventory: Inventory) -> Dockerfile | None:
    found = [item for item in inventory.dockerfiles if not environments.is_for_development(item.path)]
    return found[0] if len(found) == 1 else None


@answered_once
def _pushed(inventory: Inventory) -> frozenset[str]:
    """The last parts of the names of pushed images; for one that a run makes up, what the root's package is called.

    A repository mostly is called like its package, and `${{ github.repository }}` like the repository.
    """
    jobs = ((workflow, job) for workflow in inventory.workflows for job in workflow.jobs)
    references = [item.reference for workflow, job in jobs for item in pushed_images.of(workflow, job)]
    names = {images.repository(item.rpartition("}}/")[2]).rpartition("/")[2] for item in references}
    known = {name for name in names if name and not set("${}") & set(name)}
    roots = {item.name for item in inventory.manifests if "/" not in item.path and item.name}
    return frozenset(known | (roots if len(known) < len(names) else set()))
