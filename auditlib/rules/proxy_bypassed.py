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

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_of

_USUAL = "80"
_Way = tuple[Service, Port, Location]


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each published proxy, with all services behind it whose same port is published too."""
    for proxy in inventory.distinct_services:
        if services.public_ports(proxy) and not environments.only_for_development(proxy):
            ways = {(service.key, port.target): (service, port, place) for service, port, place in
                    _around(inventory, graph, proxy)}  # fmt: skip
            if ways:
                yield _evidence(proxy, list(ways.values()))


def _around(inventory: Inventory, graph: DependencyGraph, proxy: Service) -> Iterator[_Way]:
    """The ports that lead to what a proxy passes requests to, in the same project and file."""
    for config in inventory.reverse_proxies:
        for item in config.upstreams if _runs(inventory, proxy, config) else ():
            node = graph.resolve(item.host, item.port, config.file)
            service = service_of(inventory, graph, node) if node else None
            if service is None or service.project != proxy.project or service.key == proxy.key:
                continue
            for port in services.public_ports(service):
                same = port.target == (item.port or _USUAL)
                if same and not environments.is_for_development(port.location.file):
                    yield service, port, item.location


def _runs(inventory: Inventory, service: Service, config: ReverseProxy) -> bool:
    """Whether a service mounts a configuration, or its image is the proxy's with the file copied into it."""
    image = services.dockerfile(inventory, service)
    if image is None or service.build is None:
        return service in monitoring.runners(inventory, config.file)
    base, steps = services.final_stage(image, service.build.target)
    sources = (word for item in steps if item.keyword in ("COPY", "ADD") for word in item.words[:-1])
    paths = {posixpath.normpath(posixpath.join(service.build.context, source)) for source in sources}
    return config.kind in base and config.file in paths


def _evidence(proxy: Service, ways: list[_Way]) -> Evidence:
    (service, first, passed), *others = ways
    names = listed(f"{item.name} ({port.host_port or 'a free port'})" for item, port, _ in ways)
    return Evidence(
        f"{names} {'is' if not others else 'are'} published beside {proxy.name}, which passes requests to "
        f"{'it' if not others else 'them'}: callers get past the proxy.",
        first.location,
        subject=f"{proxy.name}/bypassed",
        service=service.name,
        related=(
            Related(passed, f"{proxy.name} passes requests to {service.name}"),
            *(Related(port.location, f"{item.name} is published here", member=True) for item, port, _ in others),
        ),
        recommendation=f"Remove the port of {service.name}, or publish it as "
        f'`"127.0.0.1:{first.host_port or first.target}:{first.target}"`.',
        change=compose_lines.on_loopback(first),
    )
