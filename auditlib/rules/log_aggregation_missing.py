"""The logs of several services aren't collected anywhere.

Each container's log stays on its host, in a format of its own, until the container is removed. To follow one request
through several services somebody has to log in to the host and read them one by one; after a crash or a new
deployment there is nothing left to read.

Anti-pattern:

    services:
      api: {build: ./api}
      worker: {build: ./worker}
      # default logging driver, no collector

Better:

    services:
      vector:
        image: timberio/vector:0.41.1-alpine
        volumes: ["./vector.yaml:/etc/vector/vector.yaml:ro"]
      loki:
        image: grafana/loki:3.2.1

Recommendation:

    Ship the containers' logs to one place (Loki, Elasticsearch, a hosted service) with a logging driver or a collector.

References:

- https://docs.docker.com/engine/logging/configure/
- https://12factor.net/logs
- https://grafana.com/docs/loki/latest/
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib import log_collection, stages
from auditlib.conventions import deployment, environments, exporters, images, published_ports, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_MANY = 5
"""Services from which nobody looks through the logs of each."""
_LOCAL_DRIVERS = frozenset({"", "json-file", "local", "none"})
_SHIPPING_LIBRARY = regex(
    r"loki|logtail|logdna|loggly|papertrail|datadog|ddtrace|newrelic|new-relic|watchtower|google-cloud-logging|"
    r"applicationinsights|azure-monitor|opentelemetry-exporter-otlp|exporter-logs-otlp|graypy|pygelf|logstash|fluent-logger|"
    r"winston-(?:cloudwatch|elasticsearch)|pino-(?:loki|datadog|elasticsearch)|elastic-apm|logzio|splunk|honeycomb|axiom",
    re.I,
)

_COLLECTOR = """services:
  vector:
    image: timberio/vector:<version>-alpine{joined}
    volumes:
      - ./vector.yaml:/etc/vector/vector.yaml:ro
      - /var/lib/docker/containers:/var/lib/docker/containers:ro
  loki:
    image: grafana/loki:<version>{joined}
    volumes:
      - loki-data:/loki
volumes:
  loki-data:"""
_PIPELINE = """sources:
  containers: {type: file, include: [/var/lib/docker/containers/*/*-json.log]}
sinks:
  loki:
    type: loki
    inputs: [containers]
    endpoint: http://loki:3100
    encoding: {codec: json}
    labels: {source: docker}"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project with at least two applications, unless something in the repository ships logs; and a Loki that
    nothing sends any to.
    """
    yield from _unfed(inventory)
    if inventory.log_shippers or _ships_by_library(inventory) or deployment.leaves_compose(inventory):
        return
    if any(_collects(inventory, service) for service in inventory.services):
        return
    own = stacks.by_project(inventory.distinct_services)
    for project in inventory.base_projects:
        mine = _running(own.get(project.name, []))
        applications = [item for item in mine if services.product(inventory, item) is None]
        few = len(applications) < 2
        if few and len(mine) >= _MANY and any(services.is_watching(inventory, item) for item in mine):
            applications = [item for item in mine if _does_the_work(inventory, item)]
        aside = environments.is_for_development(project.location.file) or _is_beside_production(inventory, project)
        if len(applications) >= 2 and not aside:
            yield Evidence(
                f"{counted(len(mine), 'service')} of {project.location.file}, among them "
                f"{listed(item.name for item in applications)}, "
                f"log to their host only: no collector, logging driver or library of the repository ships logs, unless "
                f"the host itself does.",
                project.location,
                subject=f"{project.name}/logs",
                related=_log_mounts(applications),
                recommendation=f"Add a collector and a store for logs to {project.location.file}, or set a logging "
                f"driver for {listed((item.name for item in applications), limit=4)}.",
                severity=Severity.LOW
                if few or project.for_one_host or not _is_large(inventory, mine, applications)
                else None,
                example=_lines(inventory, project),
            )


_LOKI = "grafana/loki"
_SENDS = regex(
    r"(?<![a-z])(?:agent|vector)(?![a-z])|promtail|alloy|fluent|filebeat|logstash|syslog|otel|opentelemetry|telegraf|"
    r"loki",
    re.I,
)
"""Words of what may send logs to Loki, in names, images, commands and documents."""


def _unfed(inventory: Inventory) -> Iterator[Evidence]:
    """A Loki that only its own network reaches, where no service, driver or library is known to send logs."""
    stores = [item for item in inventory.distinct_services if images.repository(item.image) == _LOKI and not item.build]
    told = stores and (_ships_by_library(inventory) or deployment.leaves_compose(inventory) or _is_set_up(inventory))
    if not stores or told or any(_may_send(inventory, item) for item in inventory.services):
        return
    external = {item.name for item in inventory.networks if item.external}
    for store in stores:
        joined = any(item.network in external for item in store.networks)
        if not (published_ports.public_ports(store) or store.network_mode or joined):
            yield Evidence(
                f"{store.name} stores logs, and no service, logging driver or library of the repository sends it any.",
                store.location,
                subject=f"{store.project}/{store.name}",
                service=store.name,
                related=tuple(Related(item.location, "nothing runs with it") for item in inventory.log_shippers[:2]),
                recommendation=f"Add a collector that reads the containers' logs and sends them to {store.name}, or "
                f"remove {store.name}.",
                example=_sender(store),
            )


def _sender(store: Service) -> str:
    """A collector beside the store that is there."""
    beside = posixpath.join(posixpath.dirname(store.location.file), "vector.yaml")
    added = _COLLECTOR.format(joined="").partition("  loki:")[0].rstrip()
    pipeline = _PIPELINE.replace("http://loki:", f"http://{store.name}:")
    return f"{files.into(store.location.file, added)}\n{files.into(beside, pipeline)}"


def _may_send(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a collector, by its image or name, or is told of a store of logs; Grafana asks it alone."""
    if images.repository(service.image) == _LOKI:
        return False
    values = [entry.value.text for entry in service.environment if entry.value]
    texts = [service.name, service.image, service.log_driver, *service.command]
    found = services.product(inventory, service)
    if found is None or found.name != "Grafana":
        texts += [*values, *(entry.name for entry in service.environment)]
    return bool(_SENDS.search(" ".join(texts))) or service.log_driver not in _LOCAL_DRIVERS


def _is_set_up(inventory: Inventory) -> bool:
    """Whether a command or a document speaks of a collector, so that one may run on the host."""
    collector = regex(r"promtail|alloy|grafana-agent|fluent-?(?:bit|d)|loki-docker-driver|filebeat|vector\b", re.I)
    texts = [" ".join(item.words) for item in deployment.commands(inventory)]
    texts += [item.text for item in deployment.documented_commands(inventory)]
    words = {word for document in inventory.documents for word in document.words}
    return any(map(collector.search, texts)) or any(collector.fullmatch(word) for word in words)


def _running(mine: list[Service]) -> list[Service]:
    """The services that run all the time in operation."""
    awaited = {need.service for item in mine for need in item.dependencies if "completed" in need.condition}
    return [
        item
        for item in mine
        if not services.is_one_shot(item, item.name in awaited)
        and not (environments.only_for_tests(item) or environments.only_for_development(item))
    ]


def _is_large(inventory: Inventory, mine: list[Service], applications: list[Service]) -> bool:
    """Whether nobody looks through the logs of each, where several processes of one image log in one manner, or
    whether somebody watches the rest.
    """
    programs = {
        (item.build.context, item.build.dockerfile, item.build.target, item.build.arguments)
        if item.build
        else (item.image,)
        for item in applications
    }
    watched = bool(inventory.prometheus) or any(services.is_watching(inventory, item) for item in mine)
    return len(mine) >= 2 * _MANY or (len(mine) >= _MANY and (watched or len(programs) > 2))


def _does_the_work(inventory: Inventory, service: Service) -> bool:
    """Whether a service is one for whose sake the others are there."""
    found = services.product(inventory, service)
    aside = found is not None and found.kind in services.AUXILIARY | services.OBSERVABILITY | {"proxy"}
    return not (aside or exporters.of_image(service.image) or services.is_one_shot(service))


def _is_beside_production(inventory: Inventory, project: Project) -> bool:
    """Whether a file of its folder has most of its services for production, so that this one is for elsewhere."""
    file = project.location.file
    if stages.names_production(file):
        return False
    own = set(inventory.services_of(project.name))
    others = _for_production(inventory).get(posixpath.dirname(file), ())
    return any(2 * len(own & set(inventory.services_of(item.name))) > len(own) for item in others)


def _lines(inventory: Inventory, project: Project) -> str:
    """A collector and a store of logs, in the network that most services are in."""
    joined = compose_lines.joining(inventory, project, ())
    added = _COLLECTOR.format(joined=f"\n    {joined}" if joined else "")
    beside = posixpath.join(posixpath.dirname(project.location.file), "vector.yaml")
    return f"{files.into(project.location.file, added)}\n{files.into(beside, _PIPELINE)}"


def _ships_by_library(inventory: Inventory) -> bool:
    return any(
        _SHIPPING_LIBRARY.search(item.name) for manifest in inventory.manifests for item in manifest.requirements
    )


def _collects(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    return service.log_driver not in _LOCAL_DRIVERS or (found is not None and found.kind == "logs")


def _log_mounts(applications: list[Service]) -> tuple[Related, ...]:
    """The volumes in which services keep log files instead."""
    return tuple(
        Related(mount.location, f"{service.name} keeps log files in {mount.source or 'a volume'}", member=True)
        for service in applications
        for mount in log_collection.volumes(service)
    )


@answered_once
def _for_production(inventory: Inventory) -> dict[str, list[Project]]:
    """The base projects whose file is called for production, by its folder."""
    found: defaultdict[str, list[Project]] = defaultdict(list)
    for item in inventory.base_projects:
        folder, name = posixpath.split(item.location.file)
        if stages.names_production(name):
            found[folder].append(item)
    return found
