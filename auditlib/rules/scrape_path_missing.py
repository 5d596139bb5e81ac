"""Prometheus scrapes an application that has no metrics.

The job asks for a path that is no route of the application, and no dependency instruments it, or one does that the code
never calls. Each scrape answers 404, the target is down for ever, and the dashboards that are built on it stay empty.

Anti-pattern:

    # prometheus.yml
    - job_name: api
      static_configs: [{targets: ["api:8000"]}]
    # main.py has /health and no /metrics; requirements.txt has no prometheus library

Better:

    # requirements.txt: prometheus-fastapi-instrumentator==7.0.0
    Instrumentator().instrument(app).expose(app, endpoint="/metrics")

Recommendation:

    Instrument the application with a client library of Prometheus, or remove the job until it is.

References:

- https://prometheus.io/docs/instrumenting/clientlibs/
- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
- https://docs.spring.io/spring-boot/reference/actuator/metrics.html#actuator.metrics.export.prometheus
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring, mounts, server_traits, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import Route
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _durability as durability
from auditlib.rules import _files as files
from auditlib.rules import _metric_lines as metric_lines
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import MetricSource

_PORTS = {
    "PostgreSQL": "5432", "MySQL": "3306", "Redis": "6379", "Valkey": "6379", "MongoDB": "27017", "Memcached": "11211",
}  # fmt: skip
"""Products that speak a protocol of their own at their port, which is no HTTP."""
_STATUS_PAGE = regex(r"(?:stub|nginx|basic)[-_]?status")
"""The usual paths of nginx's status page (https://nginx.org/en/docs/http/ngx_http_stub_status_module.html)."""
_METRICS = frozenset({"/metrics", "/prometheus", "/api/metrics"})
_BUILDS = {
    ".go": regex(r"\bgo (?:build|install)\b"),
    ".php": regex(r"^FROM (?:[\w.-]{1,60}/)?(?:php|serversideup/php|dunglas/frankenphp)\b", re.M),
}
"""By the ending of its code what the Dockerfile of a program says of its language."""
_NAMES = {".go": "Go", ".php": "PHP"}
_ADDED = {
    ".go": "go get github.com/prometheus/client_golang",
    ".php": "composer require promphp/prometheus_client_php",
}
"""The commands that add a client library of Prometheus (https://prometheus.io/docs/instrumenting/clientlibs/)."""


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every target that is built here, whose routes are known, and that has neither route nor instrumentation."""
    jobs = monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory))
    unknown: dict[str, Evidence] = {}
    foreign: defaultdict[tuple[str, str, str], list[tuple[MetricSource, Service]]] = defaultdict(list)
    for source in scraping.sources(inventory, graph, jobs):
        if (product := _without_metrics(inventory, source)) and source.service:
            foreign[source.job.file, source.job.name, product].append((source, source.service))
        if not source.silent or source.service is None:
            if source.service and (unserved := _unserved(inventory, source, source.service)):
                unknown.setdefault(source.service.key, unserved)
            continue
        if durability.is_worker(inventory, source.service):
            yield _of_worker(source, source.service)
            continue
        yield _of_code(inventory, source, source.service)
    yield from unknown.values()
    for (_, _, product), asked in foreign.items():
        yield _foreign(inventory, product, asked)


def _of_code(inventory: Inventory, source: MetricSource, service: Service) -> Evidence:
    """A target whose code is here, and has neither the path nor what would serve it."""
    job, folder = source.job, scraping.code_folder(inventory, service) or ""
    routes, idle = metric_lines.routes(inventory, folder), scraping.idle_libraries(inventory, folder)
    written = [route for route in routes if not route.generated]
    unused = f"{listed(need.name for need in idle)}, which its dependencies list, is named nowhere in it"
    return Evidence(
        f"The job {job.name} asks {source.target.host} for {job.metrics_path}, but none of the "
        f"{counted(len(written), 'route')} of its code{_added(len(routes) - len(written))} is that, and "
        f"{unused if idle else 'none of its dependencies gives metrics'}.",
        source.target.location,
        subject=f"{job.name}/{service.name}",
        service=service.name,
        related=(
            *(Related(route.location, f"the code has {route.path}") for route in written[:4]),
            *(Related(need.location, f"{need.name} is installed, and not used") for need in idle),
            Related(service.location, f"{service.name} is built from this code"),
        ),
        recommendation=f"{f'Use {idle[0].name} in' if idle else 'Add a Prometheus client library to'} the code of "
        f"{service.name} and serve {job.metrics_path}.",
        confidence=Confidence.MEDIUM if idle else None,
        example=metric_lines.instrumented(routes, job.metrics_path),
    )


def _unserved(inventory: Inventory, source: MetricSource, service: Service) -> Evidence | None:
    """What a program lacks whose routes aren't read: an endpoint of Spring, or any word on metrics in its language."""
    if source.exporter or source.job.proxy or service.build is None:
        return None
    if "/actuator/" in source.job.metrics_path:
        return _of_spring(inventory, source, service) or _unregistered(inventory, source, service)
    if own := _own_route(inventory, source, service):
        return _elsewhere(source, service, own)
    known = {port.target for item in inventory.versions(service) or [service] for port in item.ports} | {""}
    if source.target.port not in known or not any(item.kind == "unmetered" for item in inventory.server_traits):
        return None
    found = services.dockerfile(inventory, service)
    text = "\n".join(f"{item.keyword} {item.argument}" for item in found.instructions) if found else ""
    mine = (item for item in inventory.server_traits if item.kind == "unmetered" and _BUILDS[item.path].search(text))
    lists = next(mine, None) if "exporter" not in text else None
    return _of_language(source, service, lists) if lists else None


def _own_route(inventory: Inventory, source: MetricSource, service: Service) -> Route | None:
    """The one route of metrics that the code has, where it surely is another than the path that is asked for."""
    asked, folder = source.job.metrics_path.rstrip("/"), scraping.code_folder(inventory, service)
    if folder is None or source.job.relabels or "$" in asked:
        return None
    routes = metric_lines.routes(inventory, folder)
    own = [item for item in routes if item.path.rstrip("/") in _METRICS and item.method in ("GET", "*")]
    open_ended = any("*" in item.path or "{path" in item.path or item.path.rstrip("/") == asked for item in routes)
    sure = len(own) == 1 and own[0].whole and not asked.endswith(own[0].path.rstrip("/"))
    return own[0] if sure and not open_ended else None


def _elsewhere(source: MetricSource, service: Service, own: Route) -> Evidence:
    path = source.job.metrics_path
    return Evidence(
        f"The job {source.job.name} asks {source.target.host} for {path}, and its code serves metrics at {own.path}.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=(Related(own.location, f"the route {own.path}"),),
        confidence=Confidence.MEDIUM,
        recommendation=f"Let the job {source.job.name} ask for {own.path}.",
        example=files.into(source.job.file, f"metrics_path: {own.path}  # of the job {source.job.name}"),
    )


def _of_language(source: MetricSource, service: Service, lists: ServerTrait) -> Evidence:
    path = source.job.metrics_path
    return Evidence(
        f"The job {source.job.name} asks {source.target.host} for {path}, and no code in {_NAMES[lists.path]} has that "
        f"route or speaks of Prometheus, nor does {lists.location.file}.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=(
            Related(lists.location, "no client library of Prometheus"),
            Related(service.location, f"{service.name} is built here"),
        ),
        confidence=Confidence.MEDIUM,
        recommendation=f"Add a Prometheus client library to the code of {service.name} and serve {path}.",
        example=_ADDED[lists.path],
    )


_REGISTRY = "micrometer-registry-prometheus"
_EXPOSURE = "MANAGEMENT_ENDPOINTS_WEB_EXPOSURE_INCLUDE"


def _of_spring(inventory: Inventory, source: MetricSource, service: Service) -> Evidence | None:
    """An Actuator whose web server has other endpoints than the one that is asked, in every profile."""
    endpoint = source.job.metrics_path.rstrip("/").rpartition("/")[2]
    found = server_traits.of(inventory, service, "exposed")
    names = {name.strip("\"'[]") for item in found for name in item.path.split()}
    open_ended = names & {endpoint, "*"} or any("$" in name for name in names)
    told = any(entry.name == _EXPOSURE for entry in service.environment)
    if not names or open_ended or told:
        return None
    first = found[0]
    listed_names = ",".join(sorted(names - {"-"}))
    return Evidence(
        f"The job {source.job.name} asks {source.target.host} for {source.job.metrics_path}, and Spring's Actuator "
        f"exposes {listed(sorted(names - {'-'}))} alone: each scrape fails.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=tuple(Related(item.location, "the endpoints that are exposed") for item in found),
        recommendation=f"Expose {endpoint} in {first.location.file}, and keep its port from the public.",
        example=files.into(
            first.location.file, f"management.endpoints.web.exposure.include: {listed_names},{endpoint}"
        ),
    )


def _unregistered(inventory: Inventory, source: MetricSource, service: Service) -> Evidence | None:
    """An Actuator that lacks the library without which it has no endpoint for Prometheus."""
    folder = scraping.code_folder(inventory, service)
    traits = (item for item in inventory.server_traits if item.kind == "unregistered")
    own = next((item for item in traits if folder is not None and mounts.is_below(item.location.file, folder)), None)
    if own is None or not source.job.metrics_path.rstrip("/").endswith("/prometheus"):
        return None
    return Evidence(
        f"The job {source.job.name} asks {source.target.host} for {source.job.metrics_path}, which Spring Boot has "
        f"only with {_REGISTRY}, and {own.location.file} doesn't list that, unless another dependency brings it.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=(
            Related(own.location, "the Actuator without a registry"),
            Related(service.location, f"{service.name} is built here"),
        ),
        confidence=Confidence.MEDIUM,
        recommendation=f"Add {_REGISTRY} to {own.location.file}.",
        example=files.into(own.location.file, f"io.micrometer:{_REGISTRY}   # as a dependency for the run time"),
    )


def _added(number: int) -> str:
    """What is said of the routes that a framework adds by itself."""
    return f", nor of the {number} that its framework adds," if number else ""


def _of_worker(source: MetricSource, service: Service) -> Evidence:
    """A program that takes tasks and serves nothing, whatever routes the code of its image has."""
    host, port = source.target.host, source.target.port
    return Evidence(
        f"The job {source.job.name} asks {host} for {source.job.metrics_path}, but {service.name} takes tasks from a "
        f"queue, and nothing in its code gives metrics{f' at port {port}' if port else ''}.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=(Related(service.command_location or service.location, f"what {service.name} runs"),),
        recommendation=f"Take {host} out of the job {source.job.name}, or let it ask an exporter that watches the "
        f"queue.",
        example=files.into(source.job.file, f"targets: [<an exporter of the queue, in place of {host}>]"),
    )


def _without_metrics(inventory: Inventory, source: MetricSource) -> str:
    """The product that a job asks itself, though it has no metrics in Prometheus' format; empty for all others."""
    found = services.product(inventory, source.service) if source.service else None
    if found is None or source.job.proxy:
        return ""
    status = found.name == "Nginx" and bool(_STATUS_PAGE.search(source.job.metrics_path))
    port = source.target.port
    return found.name if status or (found.name in _PORTS and port == _PORTS[found.name]) else ""


def _foreign(inventory: Inventory, product: str, asked: list[tuple[MetricSource, Service]]) -> Evidence:
    """One finding for all targets of a job that are the same product, as one exporter may translate for them all."""
    (source, service), *others = asked
    return Evidence(
        f"The job {source.job.name} asks {listed(item.target.host for item, _ in asked)} for "
        f"{source.job.metrics_path}, but {product} doesn't speak Prometheus' format there; an exporter has to "
        "translate.",
        source.target.location,
        subject=f"{source.job.name}/{service.name}",
        service=service.name,
        related=(
            Related(service.location, f"{service.name} is {product}"),
            *(Related(item.target.location, f"{each.name} is {product} too", member=True) for item, each in others),
        ),
        recommendation=f"Add an exporter for {product}, and let the job {source.job.name} ask that one.",
        example=monitoring_lines.for_service(inventory, source.job.file, service),
    )
