"""An application's metrics can be read by everybody who reaches the application.

They tell its routes, versions, load and errors, and often the names of customers or queues in labels; a scraper on the
network of the project needs no published port for them, and no location of a proxy.

Anti-pattern:

    api:
      build: .                 # @app.get("/metrics")
      ports: ["8000:8000"]

Better:

    api:
      build: .
      expose: ["8000"]         # Prometheus asks api:8000; callers come through a proxy that refuses /metrics

Recommendation:

    Serve metrics at a port of their own that isn't published, or refuse the path at the proxy.

References:

- https://prometheus.io/docs/operating/security/
- https://prometheus.io/docs/instrumenting/writing_exporters/#landing-page
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import scraping
from auditlib.conventions import (
    entry_points,
    environments,
    image_folders,
    mounts,
    nginx_locations,
    proxies,
    published_ports,
    services,
)
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import Route
from auditlib.inventory.proxy import Passage, ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PATHS = frozenset({"/metrics", "/prometheus", "/prometheus/metrics", "/actuator/prometheus"})

_TASK_RUNNERS = frozenset({"celery", "rq", "rqworker", "dramatiq", "arq", "huey_consumer", "taskiq"})


class _Way(Struct, frozen=True):
    """A location of a proxy whose port is published, by which callers reach a route of metrics."""

    proxy: Service
    passage: Passage


class _Open(Struct, frozen=True):
    """A service with a route of metrics at a published port, and the ways of a proxy that lead there as well."""

    service: Service
    port: Port
    route: Route
    ways: list[_Way]


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every application built here with a route of metrics at a port, or behind a location, that other hosts reach."""
    asked = [item for item in inventory.web_routes if item.method in ("GET", "*")]  # others take metrics in
    routes = [item for item in asked if item.path.rstrip("/") in _PATHS]
    permitted = [item for item in inventory.server_traits if item.kind == "metrics"]
    routes += [Route("GET", item.path, "", item.location) for item in permitted]
    passed = _passed(inventory, {item.path.rstrip("/") for item in routes})
    published: defaultdict[tuple[str, Location], list[_Open]] = defaultdict(list)
    behind: defaultdict[tuple[Location, Location], list[tuple[Service, Route, list[_Way]]]] = defaultdict(list)
    for service in inventory.distinct_services if routes else ():
        ports = published_ports.public_ports(service)
        ways = passed[service.project, service.name]
        dockerfile = services.dockerfile(inventory, service) if ports or ways else None
        if dockerfile is None or (ports and environments.in_development_file(inventory, ports[0].location.file)):
            continue
        if any(_TASK_RUNNERS & set(command.words) for command in services.commands(inventory, service)):
            continue  # the application's image, and another program than the one with the route
        if _starts_what_is_elsewhere(inventory, service) or image_folders.serves_files(inventory, service):
            continue  # a program that the repository doesn't show, or none of its own
        homes = image_folders.of_sources(service, dockerfile)
        own = next((item for item in routes if any(mounts.is_below(item.location.file, home) for home in homes)), None)
        reached = ways[own.path.rstrip("/")] if own and own.path.rstrip("/") in ways else []
        if own and ports:
            port = _scraped(inventory, service, ports)
            published[service.project, own.location].append(_Open(service, port, own, reached))
        elif own and reached:
            behind[reached[0].passage.location, own.location].append((service, own, reached))
    for passed_on in behind.values():
        yield _passed_on(passed_on)
    for found in published.values():
        yield _published(inventory, graph, found)


def _starts_what_is_elsewhere(inventory: Inventory, service: Service) -> bool:
    """Whether a command names a module that the repository doesn't hold, so that nobody knows its routes."""
    return any(
        start.kind == "module"
        and start.paths
        and not any(
            file == path or file.endswith(f"/{path}") or (path.endswith("/") and f"/{path}" in f"/{file}")
            for file in inventory.files
            for path in start.paths
        )
        for command in services.commands(inventory, service)
        for start in entry_points.starts(command.words, {})
    )


def _scraped(inventory: Inventory, service: Service, ports: list[Port]) -> Port:
    """The port at which Prometheus asks the service, where it is one of these; else the first."""
    targets = (target for job in inventory.scrape_jobs for target in job.targets)
    asked = {target.port for target in targets if target.host in (service.name, service.container_name)}
    return next((port for port in ports if port.target in asked), ports[0])


def _passed(inventory: Inventory, paths: set[str]) -> defaultdict[tuple[str, str], defaultdict[str, list[_Way]]]:
    """By the project and name of a service, and by path, the ways that lead there past no guard."""
    found: defaultdict[tuple[str, str], defaultdict[str, list[_Way]]] = defaultdict(lambda: defaultdict(list))
    for config in inventory.reverse_proxies if paths else ():
        leading = {path: nginx_locations.open_to(config, path) for path in paths}
        for proxy in proxies.runners(inventory, config) if any(leading.values()) else ():
            if published_ports.public_ports(proxy) and not environments.only_for_development(proxy):
                for path, passages in leading.items():
                    for item in passages:
                        for host in nginx_locations.hosts(config, item):
                            found[proxy.project, host][path].append(_Way(proxy, item))
    return found


def _published(inventory: Inventory, graph: DependencyGraph, found: list[_Open]) -> Evidence:
    """One finding for all services of a project that serve the same route."""
    first, *others = found
    service, path = first.service, first.route.path
    before = [] if _is_asked_by_host(inventory, graph, service) else _proxies(inventory, service)
    return Evidence(
        f"{_served(found)}: unless the code asks for a login there, whoever reaches the "
        f"{'application reads its' if not others else 'applications reads their'} metrics.",
        first.port.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(
            Related(first.route.location, f"the route {path}"),
            *(Related(way.passage.location, f"{way.proxy.name} passes it on as well") for way in first.ways[:1]),
            *(Related(item.port.location, f"{item.service.name} is published here", member=True) for item in others),
        ),
        recommendation=_advice(first, before),
        change=compose_lines.on_loopback(first.port) if before else ("", ""),
        example=_refusing(first, before),
    )


def _served(found: list[_Open]) -> str:
    first = found[0]
    if len(found) > 1:
        return f"{listed(item.service.name for item in found)} serve {first.route.path} at ports that are published"
    told = "" if first.port.host_port in ("", first.port.target) else f" as {first.port.host_port}"
    return f"{first.service.name} serves {first.route.path} at port {first.port.target}, which is published{told}"


def _proxies(inventory: Inventory, service: Service) -> list[ReverseProxy]:
    """The proxies of the project that pass requests to a service, so that its own port can be closed."""
    return [
        config
        for config in inventory.reverse_proxies
        if any(end.host in (service.name, service.container_name) for end in config.upstreams)
        and any(item.project == service.project for item in proxies.runners(inventory, config))
    ]


def _is_asked_by_host(inventory: Inventory, graph: DependencyGraph, service: Service) -> bool:
    """Whether a Prometheus may ask the published port, under the name of the host."""
    return service.key in scraping.asked_from_outside(inventory, graph, inventory.scrape_jobs)


def _advice(item: _Open, before: list[ReverseProxy]) -> str:
    path, name = item.route.path, item.service.name
    if not before:
        return f"Serve {path} at a port that isn't published, or let a proxy before {name} refuse it."
    place = _passing(item, before)
    refuse = f", and refuse {path} in {place}" if place else ""
    return f"Publish {name} as {compose_lines.local_form(item.port)}, as a proxy passes requests to it{refuse}."


def _passing(item: _Open, before: list[ReverseProxy]) -> str:
    """The file of a proxy that passes the route on as well, or may: of nginx alone it is known what it passes."""
    if item.ways:
        return item.ways[0].passage.location.file
    return next((config.file for config in before if config.kind != "nginx"), "")


def _refusing(item: _Open, before: list[ReverseProxy]) -> str:
    """The lines of a proxy that keep the route to those who ask the service itself."""
    name, path = item.service.name, item.route.path.rstrip("/")
    refused = f"location = {path} {{ return 404; }}"
    if place := _passing(item, before):
        kind = next((config.kind for config in before if config.file == place), "nginx")
        lines = {"nginx": refused, "caddy": f"respond {path} 404"}.get(kind, f"<what refuses {path}>")
        return files.into(place, lines)
    passed = f"location / {{ proxy_pass http://{name}:{item.port.target}; }}"
    return "" if before else files.into(f"the configuration of a proxy before {name}", f"{refused}\n{passed}")


def _passed_on(found: list[tuple[Service, Route, list[_Way]]]) -> Evidence:
    """One finding for all services to which one location passes the same route."""
    (service, route, ways), *others = found
    first = ways[0]
    place = first.passage.location
    path = route.path.rstrip("/")
    said = f"location {first.passage.path}" if first.passage.path else "the server"
    return Evidence(
        f"{first.proxy.name} passes {said} to {listed(item.name for item, _, _ in found)}, which "
        f"{'serve' if others else 'serves'} {path}: unless the code asks for a login there, whoever reaches the proxy "
        "reads the metrics.",
        place,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(
            Related(route.location, f"the route {route.path}"),
            *(Related(item.location, f"{item.name} is one of those that are asked", member=True)
              for item, _, _ in others),
        ),
        recommendation=f"Refuse {path} in {place.file}, or serve metrics at a port of their own.",
        example=files.into(place.file, f"location = {path} {{ return 404; }}"),
    )  # fmt: skip
