"""Images that a service pulls by their names and that a workflow of the repository pushes: from which Dockerfile."""

from __future__ import annotations

import posixpath
from collections import defaultdict

from auditlib.conventions import environments, images, matrices, pushed_images, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Service


def dockerfile(inventory: Inventory, service: Service) -> Dockerfile | None:
    """The Dockerfile from which a workflow builds and pushes the image that a service runs, as far as it is sure.

    Where the workflow doesn't tell, the repository's only one is.
    """
    name = images.repository(service.image).rpartition("/")[2]
    foreign = service.build is not None or not name or images.product(service.image) is not None
    if foreign or name not in _pushed(inventory):
        return None
    path = _built(inventory).get(name)
    return _only(inventory) if path is None else inventory.dockerfiles_by_path.get(path)


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


@answered_once
def _built(inventory: Inventory) -> dict[str, str]:
    """By the last part of a pushed image's name the path of its Dockerfile; empty where there are several."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            for leg in matrices.legs(job):
                for item in pushed_images.of(workflow, leg):
                    name = images.repository(item.reference.rpartition("}}/")[2]).rpartition("/")[2]
                    if path := _path(inventory, workflow, leg, item.step):
                        found[name].add(path)
    return {name: paths.pop() if len(paths) == 1 else "" for name, paths in found.items()}


def _path(inventory: Inventory, workflow: Workflow, leg: Job, step: Step) -> str:
    """The Dockerfile that a step's action builds to its last stage; empty where the files don't tell."""
    given = {pair.name: pair.value for pair in step.inputs if pair.name in ("context", "file", "target")}
    known = pushed_images.variables(workflow, leg, step)
    told = {key: pushed_images.expanded(value, leg, known)[0].strip() for key, value in given.items()}
    path = told.get("file") or posixpath.join(told.get("context", ""), "Dockerfile")
    file = inventory.dockerfiles_by_path.get(posixpath.normpath(path))
    target = told.get("target", "")
    if "/build-push-action@" not in step.uses or file is None or target not in ("", services.built_stage(file)):
        return ""
    return file.path
