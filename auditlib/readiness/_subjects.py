"""What a repository holds of a kind, as places with a few words: by it an item of the checklist can be judged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import backups, checks, deployment, healthchecks, kept_data, monitoring, tools
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.stack import Service
from auditlib.model import Location, Related
from auditlib.patterns import regex
from auditlib.redaction import is_credential_name

_RESTORE = regex(r"\b(?:pg_restore|mongorestore|restic restore|borg extract|wal-g backup-fetch)\b|restore[-_.]", re.I)
_ROLLBACK = regex(r"\broll(?:ing)?[-_ ]?back\b|\brückfall|zurückrollen|retour arri[eè]re", re.I)
_SCANNER = regex(r"\b(?:trivy|grype|snyk|clair|anchore|docker scout|scout-action|prisma-cloud)\b", re.I)
_CLUSTER_COMMAND = regex(r"\b(?:kubectl|helm|kustomize|nomad|docker stack deploy|docker service)\b")
_LOCAL_LOGS = frozenset({"", "json-file", "local", "none"})
_SENTRY = regex(r"SENTRY_DSN$")
_TRACES = regex(
    r"OTEL_EXPORTER_(?:OTLP|JAEGER|ZIPKIN)_(?:TRACES_)?ENDPOINT$|JAEGER_\w*(?:ENDPOINT|HOST)$|ZIPKIN_\w*URL$"
)
"""Variables that say where traces go (https://opentelemetry.io/docs/specs/otel/protocol/exporter/)."""


def credentials(inventory: Inventory) -> Iterator[Related]:
    """The variables of services whose names say that they hold a secret."""
    for service in inventory.deployed_services:
        for entry in service.environment:
            if is_credential_name(entry.name):
                yield Related(entry.location, f"{service.name} gets {entry.name}")


def health_checks(inventory: Inventory) -> Iterator[Related]:
    """The health checks of services."""
    for service in inventory.deployed_services:
        if place := healthchecks.of(inventory, service):
            declared = service.healthcheck
            place = (declared and declared.test_location) or place
            yield Related(place, f"the health of {service.name} is checked")
        elif healthchecks.is_in_image(inventory, service):
            yield Related(service.image_location, f"the image of {service.name} checks its health")


def all_services(inventory: Inventory) -> Iterator[Related]:
    """The services."""
    yield from map(_service, inventory.deployed_services)


def dependencies(inventory: Inventory) -> Iterator[Related]:
    """What services declare to wait for."""
    for service in inventory.deployed_services:
        for needed in service.dependencies:
            if not needed.implicit:
                yield Related(needed.location, f"{service.name} waits for {needed.service}")


def stores(inventory: Inventory) -> Iterator[Related]:
    """The mounts that hold what must not be lost: of databases, brokers and caches, of users, of the monitoring."""
    for project in inventory.deployed_projects:
        for kept in (kept_data.stores, kept_data.files, kept_data.monitoring_data):
            for service, product, mount in kept(inventory, project):
                doubt = kept_data.doubt(service, product)
                unsure = f", which isn't sure: {doubt}" if doubt else ""
                yield Related(mount.location, f"what {service.name} keeps ({product.name}) is here{unsure}")


def backups_made(inventory: Inventory) -> Iterator[Related]:
    """What makes backups."""
    for place in dict.fromkeys(backups.makers(inventory)):
        yield Related(place, "a backup is made here")


def restores(inventory: Inventory) -> Iterator[Related]:
    """Commands and scripts that bring data back, so that somebody can have tried them."""
    yield from restores_run(inventory)
    for command in deployment.commands(inventory):
        if _RESTORE.search(" ".join(command.words)):
            yield Related(command.location, "a command that restores data")
    for script in inventory.scripts:
        if _RESTORE.search(script.path.rpartition("/")[2]):
            yield Related(script.location, "a script that restores data")


def restores_run(inventory: Inventory) -> Iterator[Related]:
    """The workflows, services and tables of cron that bring data back whenever they run."""
    for step in inventory.steps:
        for command in step.commands:
            if _RESTORE.search(" ".join(command.words)):
                yield Related(command.location, f"the job {step.job} restores data")
    for service in inventory.deployed_services:
        if _RESTORE.search(" ".join((*service.entrypoint, *service.command))):
            yield Related(service.location, f"{service.name} restores data")
    for caller in inventory.callers:
        if any(map(_RESTORE.search, caller.scripts)):
            yield Related(caller.location, f"{caller.path} starts a script that restores data")


def scrape_jobs(inventory: Inventory) -> Iterator[Related]:
    """The jobs that collect metrics, of the configurations in use."""
    for job in monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory)):
        yield Related(job.location, f"the scrape job {job.name}")


def telemetry(inventory: Inventory) -> Iterator[Related]:
    """Where programs send traces and errors, which are neither metrics nor alerts; each way once."""
    found: dict[str, Related] = {}
    for service in inventory.distinct_services:
        for entry in service.environment:
            for end in entry.endpoints if _TRACES.search(entry.name) else ():
                found.setdefault(end.host, Related(entry.location, f"traces go to {end.host}"))
            if _SENTRY.search(entry.name):
                found.setdefault("Sentry", Related(entry.location, f"errors go to Sentry, if {entry.name} is set"))
    yield from found.values()


def alerting(inventory: Inventory) -> Iterator[Related]:
    """Alerts, and who is told."""
    for receiver in inventory.receivers:
        yield Related(receiver.location, f"the receiver {receiver.name}")
    for rule in inventory.alert_rules:
        if rule.kind == "alert":
            yield Related(rule.location, f"the alert {rule.name}")


def receivers(inventory: Inventory) -> Iterator[Related]:
    """The receivers that tell somebody; one with the example's address tells nobody."""
    for receiver in inventory.receivers:
        real = [item for item in receiver.integrations if not item.placeholder]
        if real:
            yield Related(receiver.location, f"{receiver.name} sends to {real[0].kind}")


def log_shipping(inventory: Inventory) -> Iterator[Related]:
    """What collects logs: configurations of shippers, and services whose driver sends logs away."""
    for item in inventory.log_shippers:
        yield Related(item.location, f"{item.kind} collects logs")
    for service in inventory.deployed_services:
        if service.log_driver not in _LOCAL_LOGS:
            yield Related(service.location, f"{service.name} logs to {service.log_driver}")


def tests(inventory: Inventory) -> Iterator[Related]:
    """The test suites, and where workflows run tests that the repository doesn't hold."""
    for suite in inventory.test_suites:
        yield Related(suite.location, f"{suite.framework} in {suite.folder or 'the root'}")
    runs = pipeline.of(inventory, inventory.workflows).runs if not inventory.test_suites else ()
    for run in runs:
        if name := tools.test_framework(run.text):
            yield Related(run.location, f"{run.job.id} runs {name}")


def untested_starts(inventory: Inventory) -> Iterator[Related]:
    """Where scripts that no workflow runs start production, and run no test before, if no workflow deploys."""
    if any(True for _ in deployment.deploying_jobs(inventory)):
        return
    runs = pipeline.of(inventory, inventory.workflows).runs
    scripts = {script.path: script for script in inventory.scripts}
    for place in (place for project in inventory.deployed_projects for place in project.started_at):
        script = scripts.get(place.file)
        if script and not any(script.path in run.text for run in runs) and not _is_tested(script, place):
            yield Related(place, f"{place} starts production, and no test has to pass before it")


def _is_tested(script: Script, place: Location) -> bool:
    """Whether a script checks anything before it comes to a place."""
    return any(checks.is_check(item.words) for item in script.commands if item.location.line < place.line)


def images(inventory: Inventory) -> Iterator[Related]:
    """The images that services run."""
    for service in inventory.deployed_services:
        if service.image:
            yield Related(service.image_location, f"{service.name} runs {service.image}")


def built_images(inventory: Inventory) -> Iterator[Related]:
    """What images are built from."""
    for file in inventory.dockerfiles:
        yield Related(file.location, "an image is built from this")


def image_scans(inventory: Inventory) -> Iterator[Related]:
    """Commands and actions that scan images."""
    for command in deployment.commands(inventory):
        if _SCANNER.search(" ".join(command.words)):
            yield Related(command.location, f"{command.words[0]} scans here")
    for step in inventory.steps:
        if _SCANNER.search(step.uses):
            yield Related(step.location, f"{step.uses.partition('@')[0]} scans here")


def production(inventory: Inventory) -> Iterator[Related]:
    """Where the repository says that it is put into production."""
    yield from deployment.signs_of_production(inventory)


def rollbacks(inventory: Inventory) -> Iterator[Related]:
    """Documents, commands, jobs and scripts that speak of a rollback."""
    for document in inventory.documents:
        for heading in document.headings:
            if _ROLLBACK.search(heading.text):
                yield Related(heading.location, "a rollback is described here")
    for command in deployment.commands(inventory):
        if _ROLLBACK.search(" ".join(command.words)):
            yield Related(command.location, "a command that rolls back")
    for job in inventory.jobs:
        if _ROLLBACK.search(f"{job.id} {job.name}"):
            yield Related(job.location, f"the job {job.id}")


def documents(inventory: Inventory) -> Iterator[Related]:
    """All documents."""
    for item in inventory.documents:
        titled = (heading.location for heading in item.headings if heading.text == item.title)
        yield Related(next(titled, item.location), item.title or item.path)


def guides(inventory: Inventory) -> Iterator[Related]:
    """The documents, and their headings, on how the software is put into operation, started and mended."""
    places = {str(place): place for place in deployment.guides(inventory)}
    yield from (Related(place, "operation is described here") for place in places.values())
    for heading in deployment.headings_on_operation(inventory):
        if str(heading.location) not in places:
            yield Related(heading.location, f"{heading.text!r} is on running it")


def several_hosts(inventory: Inventory) -> Iterator[Related]:
    """Documents that speak of several hosts, and what deploys to a cluster; a platform alone says nothing of hosts."""
    for place in deployment.places_on_scaling(inventory):
        yield Related(place, "scaling is described here")
    for item in inventory.cluster_files:
        yield Related(item.location, f"this {item.kind} is for a cluster")
    for command in deployment.commands(inventory):
        if _CLUSTER_COMMAND.search(" ".join(command.words)):
            yield Related(command.location, "a command that deploys to a cluster")


def platforms(inventory: Inventory) -> Iterator[Related]:
    """The managed platforms that it is deployed to, which decide by themselves on how many hosts it runs, and what is
    deployed otherwise beside them.
    """
    name = ""
    for name, place in deployment.platforms(inventory):
        yield Related(place, f"It is deployed to {name}, a platform that decides by itself on how many hosts it runs")
    for project in inventory.deployed_projects if name else ():
        for place in project.started_at[:1]:
            files = " + ".join(project.files)
            yield Related(place, f"It is also deployed by Compose ({files}, started by {place}), which is one host")


def _service(service: Service) -> Related:
    return Related(service.location, f"the service {service.name}")
