"""A health check asks for a path that is no route of its service.

The server answers 404, `curl -f` fails, and the container is "unhealthy" for ever although it works; or, without `-f`,
the check passes whatever the server says.

Anti-pattern:

    # compose.yaml
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8000/healthz"]

    # app/main.py
    @app.get("/health")

Better:

    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8000/health"]

Recommendation:

    Ask for a route that the application declares, or declare one.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Route
from auditlib.inventory.stack import Healthcheck, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule

_ITSELF = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+)?(/[^?#\s'\"`)|;&]*)")
_PARAMETER = re.compile(r"\{[^}]*\}|<[^>]*>|:\w+|\*\w*")
_BRINGS_ROUTES = re.compile(r"health|terminus|actuator|django")
"""Libraries that add routes which no line of the application declares."""
_BRINGS_METRICS = re.compile(r"prometheus|instrumentator|prom-bundle")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe whose path no route of the code that the service is built from answers to."""
    for service in inventory.services:
        probe = service.healthcheck
        path = _path(probe) if probe and not probe.disabled else ""
        routes = _routes(inventory, service) if path else []
        known = any(_answers(route.path, path) for route in routes)
        if probe and routes and not known and not _may_be_brought(inventory, service, path):
            yield Evidence(
                f"The health check of {service.name} asks for {path}, which none of the {len(routes)} routes known of "
                f"its code answers to.",
                probe.test_location or probe.location,
                subject=f"{service.name}{path}",
                service=service.name,
                related=tuple(Related(route.location, f"the route {route.path}") for route in routes[:3]),
                recommendation=f"Declare the route {path} in {service.name}, or probe one that exists.",
            )


def _path(probe: Healthcheck) -> str:
    words = (word for command in probe.commands for word in command.words)
    return next((match[1] for word in words if (match := _ITSELF.search(word)) and match[1] != "/"), "")


def _routes(inventory: Inventory, service: Service) -> list[Route]:
    build = service.build
    product = services.product(inventory, service)
    if build is None or build.outside or (product and product.kind == "proxy"):  # a web server has routes of its own
        return []
    inside = [item for item in inventory.web_routes if build.context == "." or _below(item, build.context)]
    return [] if any(item.path.strip("/") in ("*", "{path:path}", "<path:path>") for item in inside) else inside


def _below(route: Route, folder: str) -> bool:
    return route.location.file.startswith(folder + "/")


def _answers(route: str, path: str) -> bool:
    """Whether a route may answer to a path; what stands before a route may come from where it is mounted."""
    parts = _PARAMETER.split(route.rstrip("/"))
    pattern = "[^/]+".join(re.escape(part) for part in parts)
    return bool(route.strip("/")) and bool(re.search(f"(?:^|/){pattern.lstrip('/')}$", path.rstrip("/")))


def _may_be_brought(inventory: Inventory, service: Service, path: str) -> bool:
    context = service.build.context if service.build else ""
    return any(
        _BRINGS_ROUTES.search(item.name) or ("metrics" in path and _BRINGS_METRICS.search(item.name))
        for manifest in inventory.manifests
        if context == "." or manifest.path.startswith(context + "/")
        for item in manifest.requirements
    )
