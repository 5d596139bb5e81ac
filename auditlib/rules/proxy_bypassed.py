"""An application that a reverse proxy stands before is published beside it.

Whoever asks its port goes past the proxy, with its TLS, limits, logins and log; what the application believes of
`X-Forwarded-For` anybody can write there.

Anti-pattern:

    nginx:
      ports: ["443:443"]        # proxy_pass http://api:8000
    api:
      ports: ["8000:8000"]

Better:

    api:
      expose: ["8000"]

Recommendation:

    Publish the proxy alone, or bind the other port to 127.0.0.1.

References:

- https://docs.docker.com/engine/network/port-publishing/
- https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy, Upstream
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import service_of


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every upstream of a published proxy whose own port other hosts can reach too; each service once."""
    seen = set()
    for proxy in inventory.reverse_proxies:
        front = next(filter(services.is_exposed, proxies.runners(inventory, proxy)), None)
        for item in proxy.upstreams if front else ():
            node = graph.resolve(item.host, item.port, proxy.file)
            service = service_of(inventory, graph, node) if node else None
            port = _published(inventory, service, item) if service else None
            if service and port and front and service.key != front.key and service.key not in seen:
                seen.add(service.key)
                yield _evidence(proxy, item, front, service, port)


def _published(inventory: Inventory, service: Service, item: Upstream) -> Port | None:
    """The port of an application, outside a developer's machine, that the proxy asks and everybody can."""
    if services.is_watching(inventory, service) or environments.only_for_development(service):
        return None
    return next((port for port in services.public_ports(service) if port.target == (item.port or "80")), None)


def _evidence(proxy: ReverseProxy, item: Upstream, front: Service, service: Service, port: Port) -> Evidence:
    return Evidence(
        f"{service.name} publishes port {port.host_port or port.target} on every address of the host, beside "
        f"{front.name}, which passes requests to it: whoever asks it goes past {front.name}.",
        port.location,
        subject=service.name,
        service=service.name,
        related=(Related(item.location, f"{front.name} passes requests to {service.name}"),),
        recommendation=f"Remove the port of {service.name}, or bind it to 127.0.0.1.",
        change=compose_lines.on_loopback(port),
    )
