"""Where a repository leaves out a part of an item of the checklist, whether or not a rule finds fault with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from auditlib import log_collection, watching
from auditlib.conventions import backups, deployment, environments, healthchecks, images, kept_data, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Related
from auditlib.readiness import _subjects as subjects


def unchecked(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The services that run all the time, and whose health the repository doesn't check."""
    for service in _lasting(inventory):
        if not healthchecks.is_checked(inventory, service):
            yield Related(service.location, f"The repository shows no health check of {service.name}")


def unwatched(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The services that run all the time, and that no scrape job, exporter or probe tells about."""
    watched = watching.of(inventory, graph).metrics.services
    for service in _lasting(inventory):
        if service.key not in watched and not _works_aside(inventory, service):
            yield Related(service.location, f"Nothing collects metrics of {service.name} itself")


def unkept(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The services that run all the time and whose logs nothing takes away; shippers that no service runs."""
    kept = log_collection.kept(inventory)
    lasting = [service for service in _lasting(inventory) if not services.is_watching(inventory, service)]
    for service in lasting:
        if service.key not in kept:
            yield Related(service.location, f"Nothing collects the logs of {service.name}")
    if not log_collection.is_run(inventory) and not all(map(log_collection.sends, lasting)):
        for item in inventory.log_shippers:
            yield Related(
                item.location, f"{item.file} configures {item.kind}, and no service of the repository runs it"
            )


def untried(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The commands and scripts that restore data, where no workflow, service or table of cron runs one."""
    if not any(subjects.restores_run(inventory)):
        said = "The repository holds what brings data back; whether anybody has tried it, files can't tell"
        yield from (Related(item.location, said) for item in subjects.restores(inventory))


def unfixed(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The images whose tag goes on to later releases, such as `redis:7`."""
    for service in inventory.deployed_services:
        named = service.image and service.build is None and "$" not in service.image
        if named and images.precision(service.image) > 1:
            yield Related(
                service.image_location, f"{service.name} runs {service.image}, whose tag moves on within its line"
            )


def kept_nowhere(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The databases and brokers that run all the time without a lasting mount, or with one in doubt."""
    for service in _lasting(inventory):
        product = services.product(inventory, service)
        if product and product.kind in ("datastore", "broker") and kept_data.loses_data(service, product):
            yield Related(service.location, f"{service.name} ({product.name}) keeps its data in no volume")
        elif product and (doubt := kept_data.doubt(service, product)):
            yield Related(service.location, f"Whether the volume of {service.name} holds its data isn't sure: {doubt}")


def undeployed(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The first tests, where no workflow deploys: what a deployment waits for can't be seen."""
    if not any(deployment.deploys(job) for job in inventory.jobs):
        for item in islice(subjects.tests(inventory), 1):
            yield Related(item.location, "No workflow deploys, so that nothing shows what a deployment waits for")


def undeployable(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """What tells how the software is run, where nothing tells how it is deployed."""
    if not deployment.guides(inventory):
        said = "Headings tell how it is run and mended, and none is on its deployment"
        yield from (Related(item.location, said) for item in subjects.guides(inventory))


def early_starts(inventory: Inventory, graph: DependencyGraph) -> Iterator[Related]:
    """The waits that end when the other service has started, whether or not it can do its work by then."""
    for service in inventory.deployed_services:
        for needed in service.dependencies:
            if not needed.implicit and needed.condition == "service_started":
                yield Related(needed.location, f"{service.name} waits only for the start of {needed.service}")


def _works_aside(inventory: Inventory, service: Service) -> bool:
    """Whether a service isn't what users wait for: a tool, an exporter, a job that makes backups by the clock."""
    product = services.product(inventory, service)
    auxiliary = product is not None and product.kind in services.AUXILIARY
    return auxiliary or backups.SCRIPT_NAME.search(service.name) is not None


def _lasting(inventory: Inventory) -> Iterator[Service]:
    """The services that run all the time in production."""
    for together in stacks.lasting(inventory).values():
        yield from (service for service in together if not environments.only_for_development(service))
