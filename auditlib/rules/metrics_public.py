"""An application's metrics can be read by everybody who reaches the application.

They tell its routes, versions, load and errors, and often the names of customers or queues in labels; a scraper on the
network of the project needs no published port for them.

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

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Route
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PATHS = frozenset({"/metrics", "/prometheus", "/actuator/prometheus"})


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every application built here with a route of metrics at a port that other hosts reach."""
    asked = [item for item in inventory.web_routes if item.method in ("GET", "*")]  # others take metrics in
    routes = [item for item in asked if item.path.rstrip("/") in _PATHS]
    for service in inventory.distinct_services if routes else ():
        ports = services.public_ports(service)
        dockerfile = services.dockerfile(inventory, service) if ports else None
        if dockerfile is None or environments.is_for_development(ports[0].location.file):
            continue
        home = posixpath.dirname(dockerfile.path)  # an image of the whole repository holds others' code too
        own = next((item for item in routes if mounts.is_below(item.location.file, home)), None)
        if own is not None:
            yield _evidence(service, ports[0], own)


def _evidence(service: Service, port: Port, route: Route) -> Evidence:
    return Evidence(
        f"{service.name} serves {route.path} at port {port.target}, which is published: unless the code asks for a "
        "login there, whoever reaches the application reads its metrics.",
        port.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(route.location, f"the route {route.path}"),),
        recommendation=f"Publish {service.name} as {compose_lines.local_form(port)} behind a proxy that refuses "
        f"{route.path}, or serve metrics at a port of their own.",
        change=compose_lines.on_loopback(port),
    )
