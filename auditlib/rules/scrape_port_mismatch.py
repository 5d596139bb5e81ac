"""Prometheus scrapes a service at a port that it doesn't listen on.

Inside a Compose network a service has its container's port. The left part of `"8001:8000"` exists on the host alone;
a target with it is refused for ever.

Anti-pattern:

    # compose.yaml: ports: ["8001:8000"]
    static_configs:
      - targets: ["chroma:8001"]

Better:

    static_configs:
      - targets: ["chroma:8000"]

Recommendation:

    Use the port inside the container in the target.

References:

- https://docs.docker.com/compose/how-tos/networking/
- https://github.com/prometheus/prometheus/wiki/Default-port-allocations
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditlib import scraping
from auditlib.conventions import exporters, listening, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Instruction
from auditlib.inventory.monitoring import ScrapeJob, Target
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_THE_HOST = (".docker.internal", ".containers.internal")
"""How the names end under which containers reach what is published on their host."""

_METRICS_PORT = regex(r"(?P<whose>(?:[A-Z]+_)*)(?:METRICS|PROMETHEUS|PROM)_(?:PORT|ADDR|ADDRESS|LISTEN|BIND)")
_WEB_SERVERS = frozenset({"gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve"})
_LISTENS = regex(r"--web\.listen-address[= ]\S*?:(\d+)(?!\S)")
"""The port in the option of exporters with the toolkit of Prometheus: https://github.com/prometheus/exporter-toolkit."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every target with a service's port on the host, or with a port that its exporter doesn't have by default."""
    for job in monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory)):
        for target in (*job.targets, *job.discovered, *((job.proxy,) if job.proxy else ())):
            service = scraping.service_at(inventory, graph, job, target)
            if service is None and target.host.endswith(_THE_HOST):
                yield from _behind_another(inventory, job, target)
            if service is None or not target.port.isdigit() or service.network_mode or "." in target.host:
                continue
            if target.port not in _own_ports(inventory, service):
                yield from _mismatch(job, target, service)
                yield from _of_exporter(inventory, job, target, service)
                yield from _of_configuration(inventory, job, target, service)
                yield from _of_program(inventory, job, target, service)


def _own_ports(inventory: Inventory, service: Service) -> set[str]:
    """The ports that the service may listen on, by everything that is said of it and that Compose doesn't replace."""
    texts = [*service.command, *service.entrypoint, *service.expose, *(port.target for port in service.ports)]
    texts += [entry.value.text for entry in service.environment if entry.value]
    texts += service.healthcheck.test if service.healthcheck else ()
    build = services.dockerfile(inventory, service)
    steps = build.instructions if build else ()
    given = {entry.name for entry in service.environment}
    replaced = _numbers(
        value.text for item in steps if item.keyword == "ENV"
        for name, value in item.variables if value and name in given
    )  # fmt: skip
    texts += [item.argument for item in steps if not _is_stale(item, replaced)]
    return _numbers(texts)


def _is_stale(step: Instruction, replaced: set[str]) -> bool:
    """Whether a step of an image says a port in whose place Compose gives another one."""
    return step.keyword in ("ENV", "EXPOSE") and not replaced.isdisjoint(_numbers([step.argument]))


def _numbers(texts: Iterable[str]) -> set[str]:
    return {number for text in texts for number in re.findall(r"(?<!\d)\d{2,5}(?!\d)", text)}


def _mismatch(job: ScrapeJob, target: Target, service: Service) -> Iterator[Evidence]:
    published = next((port for port in service.ports if port.host_port == target.port), None)
    exporter = exporters.of_image(service.image) if service.build is None else None
    if published:
        yield _evidence(
            job, target, service, published.target,
            f"{target.port} is its port on the host; inside the network it listens on {published.target}",
            Related(published.location, f"{target.port} on the host is {published.target} in the container"),
        )  # fmt: skip
    elif exporter and exporter.ports and not exporter.relays and target.port not in exporter.ports:
        yield _evidence(
            job, target, service, exporter.ports[0],
            f"{exporter.name} listens on {exporter.ports[0]} unless it is told otherwise",
            Related(service.image_location, f"{service.name} is {exporter.name}"), Confidence.MEDIUM,
        )  # fmt: skip
    elif exporter and len(told := set(_LISTENS.findall(" ".join(service.command)))) == 1 and target.port not in told:
        right = told.pop()
        yield _evidence(
            job, target, service, right, f"its command has it listen on {right}",
            Related(service.command_location or service.location, f"the address of {exporter.name}"),
        )  # fmt: skip


def _of_configuration(inventory: Inventory, job: ScrapeJob, target: Target, service: Service) -> Iterator[Evidence]:
    """The port that the configuration of Loki or Promtail says, which its own image runs with."""
    told = [
        item.port
        for item in inventory.log_shippers
        if item.port and service in monitoring.runners(inventory, item.file)
    ]
    if len(told) == 1 and told[0].path.isdigit() and told[0].path != target.port and not service.build:
        right = told[0].path
        yield _evidence(
            job, target, service, right, f"{told[0].location.file} has it listen on {right}",
            Related(told[0].location, f"the port of {service.name}"),
        )  # fmt: skip


def _of_program(inventory: Inventory, job: ScrapeJob, target: Target, service: Service) -> Iterator[Evidence]:
    """The port that a variable gives the metrics of a program built here, or the one port of its web server."""
    if service.build is None or any(port.host_port == target.port for port in service.ports):
        return
    told = {(name, port) for name, port in listening.by_variable(service).items() if _is_of_metrics(service, name)}
    if len(told) == 1:
        name, right = told.pop()
        place = next(entry.location for entry in service.environment if entry.name == name)
        reason = f"{name} has it give its metrics on {right}, unless that is another program's"
        yield _evidence(
            job, target, service, right, reason, Related(place, f"{name} is {right}"), Confidence.MEDIUM
        )  # fmt: skip
    elif _serves_metrics_itself(inventory, service, job.metrics_path):
        found = listening.mismatch(inventory, service, [target.port])
        if found and len(found.known) == 1:
            built = services.dockerfile(inventory, service)
            start = service.command_location or (Location(built.path) if built else service.location)
            related = Related(start, f"{service.name} is started by it")
            yield _evidence(job, target, service, found.known[0], f"{found}", related, Confidence.MEDIUM)


def _is_of_metrics(service: Service, name: str) -> bool:
    """Whether a variable is by its name the port of a service's own metrics."""
    match = _METRICS_PORT.fullmatch(name)
    whose = set(match["whose"].lower().split("_")) - {""} if match else set[str]()
    return match is not None and (not whose or not whose.isdisjoint(re.split(r"[-_]", service.name.lower())))


def _serves_metrics_itself(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether the routes of a web server with one port are where its metrics are, and no server beside it has them."""
    words = {word for command in services.commands(inventory, service) for word in command.words}
    beside = any(item.framework == "prometheus_client" for item in inventory.web_routes)
    return not (beside or words.isdisjoint(_WEB_SERVERS)) and scraping.exposes(inventory, service, path) is True


def _of_exporter(inventory: Inventory, job: ScrapeJob, target: Target, service: Service) -> Iterator[Evidence]:
    """The port of an exporter, asked of the program that it watches."""
    exporter, product = exporters.of_host("", target.port), services.product(inventory, service)
    if exporter is None or product is None or service.build is not None or product.name not in exporter.watches:
        return
    if exporters.of_image(service.image) is exporter:
        return  # it has its metrics itself, as RabbitMQ by a plugin that its image starts
    if target.port in {port for config in inventory.reverse_proxies for port in config.listens}:
        return
    mine = inventory.services_of(service.project).values()
    there = next((item for item in mine if exporters.of_image(item.image) is exporter), None)
    yield Evidence(
        f"The job {job.name} scrapes {target.address}, but {target.port} is the port of the {exporter.name}, and "
        f"{service.name} is {product.name} itself, which doesn't listen there.",
        target.location,
        subject=f"{job.name}/{target.host}",
        service=service.name,
        related=(Related(service.image_location, f"{service.name} is {product.name}"),),
        recommendation=f"Let the job {job.name} scrape {there.name}:{target.port}."
        if there
        else f"Start the {exporter.name} beside {service.name}, and let the job {job.name} scrape it.",
        change=(target.address, f"{there.name}:{target.port}" if there else f"<the {exporter.name}>:{target.port}"),
    )


def _behind_another(inventory: Inventory, job: ScrapeJob, target: Target) -> Iterator[Evidence]:
    """A port of the host that nobody publishes, and that one service has inside its container."""
    found = [(item, port) for item in inventory.distinct_services for port in item.ports if port.target == target.port]
    if len(found) == 1 and found[0][1].host_port and not _is_of_a_program(inventory, target.port):
        service, port = found[0]
        yield _evidence(
            job, target, service, port.host_port,
            f"nothing publishes {target.port} on the host; {service.name} has it there as {port.host_port}, unless "
            "another program of the host is meant",
            Related(port.location, f"{target.port} in the container is {port.host_port} on the host"),
            Confidence.MEDIUM,
        )  # fmt: skip


def _is_of_a_program(inventory: Inventory, port: str) -> bool:
    """Whether a program that runs on the host itself is told of the port: by a variable, or by a document."""
    values = [(line.name, line.value) for file in inventory.env_files for line in file.lines]
    values += [(item.name, item.default) for item in inventory.settings]
    told = any(name.upper().endswith("PORT") and value is not None and value.text == port for name, value in values)
    mentions = (item.text for document in inventory.documents for item in document.mentions if item.kind == "address")
    return told or any(re.search(rf":{port}\b", text) for text in mentions)


def _evidence(
    job: ScrapeJob,
    target: Target,
    service: Service,
    right: str,
    reason: str,
    related: Related,
    confidence: Confidence | None = None,
) -> Evidence:
    return Evidence(
        f"The job {job.name} scrapes {target.address}, but {reason}.",
        target.location,
        subject=f"{job.name}/{target.host}",
        service=service.name,
        related=(related,),
        recommendation=f"Let the job {job.name} scrape {target.bracketed}:{right}.",
        confidence=confidence,
        change=(target.address, f"{target.bracketed}:{right}"),
        example=files.into(job.file, f"port: {right}  # of {target.host} in the job {job.name}")
        if target in job.discovered
        else "",
    )
