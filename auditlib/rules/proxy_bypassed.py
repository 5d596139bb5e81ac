"""A service stands behind a proxy and publishes its own port as well.

Whoever uses that port gets past what the proxy does: encryption, limits, sign-in, the log of requests. Docker opens it
past the host's firewall.

Anti-pattern:

    services:
      proxy: {image: "nginx:1.27", ports: ["80:80"]}     # proxy_pass http://api:8000
      api: {build: ./api, ports: ["8000:8000"]}

Better:

    services:
      proxy: {image: "nginx:1.27", ports: ["80:80"]}
      api: {build: ./api}

Recommendation:

    Publish the proxy's port alone, or bind the service's own one to 127.0.0.1.

References:

- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib import scraping
from auditlib.conventions import (
    baked_files,
    build_context,
    environments,
    monitoring,
    published_ports,
    services,
    stacks,
    traefik,
    traefik_settings,
)
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_named

_USUAL = "80"
_GATEWAY = regex(r"(?:^|[-_])(?:api)?(?:gateway|proxy|edge)(?:[-_]|$)")


class _Way(Struct, frozen=True):
    """A published port of a service to which a proxy passes requests."""

    proxy: Service
    service: Service
    port: Port
    passed: Location
    sure: bool = True
    """Whether the file is known to be a proxy's, and not only called so."""


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project, with all services behind its published proxies whose same port is published too."""
    for project, mine in stacks.by_project(inventory.distinct_services).items():
        proxies = [
            item for item in mine if published_ports.public_ports(item) and not environments.only_for_development(item)
        ]
        ways: dict[Location, _Way] = {}
        for proxy in proxies:
            around = (
                *_around(inventory, graph, proxy),
                *_around_gateway(inventory, proxy),
                *_labelled(inventory, proxy),
            )
            for way in around:
                ways.setdefault(way.port.location, way)
        if ways:
            first = next(iter(ways.values())).service
            outside = scraping.asked_from_outside(inventory, graph, inventory.scrape_jobs)
            yield _evidence(project, list(ways.values()), asked=first.key in outside)


def _around(inventory: Inventory, graph: DependencyGraph, proxy: Service) -> Iterator[_Way]:
    """The ports that lead to what a proxy passes requests to, in the same project and file."""
    for config in inventory.reverse_proxies:
        if config.for_one_origin:
            continue  # nothing is lost by getting past it
        for item in config.upstreams if _runs(inventory, proxy, config) else ():
            service = service_named(inventory, graph, item.host, item.port, config.file)
            if service is None or service.project != proxy.project or service.key == proxy.key:
                continue
            for port in published_ports.public_ports(service):
                same = port.target == (item.port or _USUAL)
                if same and not environments.is_for_development(port.location.file):
                    yield _Way(proxy, service, port, item.location)


def _labelled(inventory: Inventory, proxy: Service) -> Iterator[_Way]:
    """The ports of services whose labels ask this Traefik to pass requests to them."""
    product = services.product(inventory, proxy)
    if product is None or product.name != "Traefik" or not traefik_settings.reads_labels(inventory, proxy):
        return
    for service in inventory.services_of(proxy.project).values():
        place = traefik.asked_at(service, enabled=traefik.takes_all(proxy)) if service.labels else None
        told = {item.port for item in traefik.ports_of(service)}
        for port in published_ports.public_ports(service) if place and service.key != proxy.key else ():
            same = port.target in told or (not told and len(service.ports) == 1)
            if place and same and not environments.is_for_development(port.location.file):
                yield _Way(proxy, service, port, place)


def _around_gateway(inventory: Inventory, proxy: Service) -> Iterator[_Way]:
    """The ports that lead to what a program passes requests to that is called a gateway and is built here."""
    mine = inventory.services_of(proxy.project) if _GATEWAY.search(proxy.name) else {}
    for item in baked_files.addresses(inventory, proxy) if mine else ():
        service = mine.get(item.end.host)
        if service is None or service.build is None or item.end.scheme not in ("http", "https"):
            continue
        for port in published_ports.public_ports(service) if service.name != proxy.name else ():
            same = port.target == (item.end.port or _USUAL)
            if same and not environments.is_for_development(port.location.file):
                yield _Way(proxy, service, port, item.location, sure=False)


def _runs(inventory: Inventory, service: Service, config: ReverseProxy) -> bool:
    """Whether a service mounts a configuration, or its image is the proxy's with the file copied into it."""
    base, steps = services.built_from(inventory, service)
    if service.build is None or not base:
        return service in monitoring.runners(inventory, config.file)
    sources = (word for item in steps if item.keyword in ("COPY", "ADD") for word in item.words[:-1])
    return config.kind in base and config.file in {build_context.path_outside(service.build, each) for each in sources}


def _evidence(project: str, ways: list[_Way], *, asked: bool) -> Evidence:
    first, *others = ways
    names = listed(f"{way.service.name} ({way.port.host_port or way.port.variable or 'a free port'})" for way in ways)
    proxies = list(dict.fromkeys(way.proxy.name for way in ways))
    return Evidence(
        f"{names} {'is' if not others else 'are'} published beside {listed(proxies)}, which "
        f"{'passes' if len(proxies) == 1 else 'pass'} requests to {'it' if not others else 'them'}: callers get past "
        "the proxy.",
        first.port.location,
        subject=f"{project}/bypassed",
        service=first.service.name,
        related=(
            Related(first.passed, f"{first.proxy.name} passes requests to {first.service.name}"),
            *(Related(way.port.location, f"{way.service.name} is published here", member=True) for way in others),
        ),
        recommendation=f"Publish {first.service.name} on the one address of the host that Prometheus asks."
        if asked
        else f"Remove the port of {first.service.name}, or publish it as `{compose_lines.local_form(first.port)}`.",
        confidence=None if all(way.sure for way in ways) else Confidence.MEDIUM,
        change=("", "") if asked else compose_lines.on_loopback(first.port),
        example=compose_lines.of_service(first.service, _on_address(first.port)) if asked else "",
    )


def _on_address(port: Port) -> str:
    return f'ports:\n  - "<the address that Prometheus asks>:{port.host_port or port.target}:{port.target}"'
