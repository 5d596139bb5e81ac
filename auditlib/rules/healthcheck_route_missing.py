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

from auditlib.conventions import probes, served_routes, server_traits, services
from auditlib.conventions.probes import Probe
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import Route
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PARAMETER = regex(r"\{[^}]*\}|<[^>]*>|:\w+|\*\w*")
_EVERYTHING = frozenset({"*", "{path:path}", "<path:path>"})
_BRINGS_ROUTES = regex(r"health|terminus|actuator")
"""Libraries that add routes which no line of the application declares."""
_METRICS = frozenset({
    "prometheus_client", "prometheus-fastapi-instrumentator", "prometheus-flask-exporter", "django-prometheus",
})  # fmt: skip
"""Libraries that serve metrics beside the application, or in it."""
_BRINGS_METRICS = regex(r"prometheus|instrumentator|prom-bundle")


_STARTS_NEST = regex(r"(?:^|[\s/])main(?:\.js)?(?=$|\s)|\bstart:prod\b|\bnest start\b")
"""How a program of NestJS is started, by what its own tool calls it."""
_OWN_PAGES = frozenset({"flower", "rq-dashboard", "jupyter", "streamlit", "mlflow", "airflow", "superset", "locust"})
"""Programs that serve pages of their own, whatever the code beside them declares."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every probe whose path no route of the code that the service is built from answers to."""
    seen: set[tuple[Location, str]] = set()  # several services may be built with the HEALTHCHECK of one Dockerfile
    for service in probes.by_own_command(inventory.services):
        probe = probes.to_the_end(inventory, service)
        for path in probes.paths(probe)[:1] if probe else ():
            routes = _routes(inventory, service)
            below = any("root-path" in word or "root_path" in word for word in service.command)
            known = _opens_into(routes, path) or any(
                _answers(route.path, path, whole=route.whole and not below) for route in routes
            )
            new = probe and (probe.location, path) not in seen
            if probe and new and routes and not known and not _may_be_brought(inventory, service, path):
                seen.add((probe.location, path))
                yield _evidence(service, probe, path, routes)
            elif probe and not routes and new and (prefix := _prefix(inventory, service, path)):
                seen.add((probe.location, path))
                yield _without_prefix(service, probe, path, prefix)


def _prefix(inventory: Inventory, service: Service, path: str) -> ServerTrait | None:
    """The prefix of all routes of NestJS that a path lacks; none where anything may answer without it."""
    found = server_traits.of(inventory, service, "prefix")
    started = (" ".join(command.words) for command in services.commands(inventory, service))
    if len(found) != 1 or not any(map(_STARTS_NEST.search, started)):
        return None
    (prefix,) = found
    pages = [item.path for item in server_traits.of(inventory, service, "manual")]
    inside = any(_is_at(path, known) for known in (prefix.path, *pages))
    return None if inside or server_traits.of(inventory, service, "beside") else prefix


def _is_at(path: str, known: str) -> bool:
    return path == known or path.startswith(f"{known}/")


def _without_prefix(service: Service, probe: Probe, path: str, prefix: ServerTrait) -> Evidence:
    versioned = bool(prefix.amount)
    meant = f"{prefix.path}/<version>{path}" if versioned else f"{prefix.path}{path}"
    return Evidence(
        f"The health check of {service.name} asks for {path}, and {prefix.location.file} has all routes below "
        f"{prefix.path}{', with versions' if versioned else ''}: nothing answers there.",
        probe.location,
        subject=f"{service.name}{path}",
        service=service.name,
        related=(Related(prefix.location, f"all routes are below {prefix.path}"),),
        recommendation=f"Ask for {meant}, or exclude {path} from the prefix.",
        change=("", "") if versioned else (path, meant),
        example=files.into(
            prefix.location.file, f"app.setGlobalPrefix('{prefix.path[1:]}', {{ exclude: ['{path.strip('/')}'] }});"
        ),
    )


def _evidence(service: Service, probe: Probe, path: str, routes: list[Route]) -> Evidence:
    known = f"none of the {len(routes)} routes known of its code answers to"
    if len(routes) == 1:
        known = "the only route known of its code doesn't answer to"
    return Evidence(
        f"The health check of {service.name} asks for {path}, which {known}.",
        probe.location,
        subject=f"{service.name}{path}",
        service=service.name,
        related=tuple(Related(route.location, f"the route {route.path}") for route in routes[:3]),
        recommendation=f"Declare the route {path} in {service.name}, or probe one that exists.",
        change=_near(path, routes),
        example=_declared(path, routes),
    )


_DECLARED = {
    "fastapi": '@<app>.get("{}")\ndef health() -> dict[str, str]:\n    return {{"status": "ok"}}',
    "flask": '@<app>.get("{}")\ndef health():\n    return {{"status": "ok"}}',
    "django": 'path("{}", lambda request: HttpResponse("ok"))',
    "gin": '<router>.GET("{}", func(c *gin.Context) {{ c.Status(http.StatusOK) }})',
    "echo": '<app>.GET("{}", func(c echo.Context) error {{ return c.NoContent(http.StatusOK) }})',
    "fiber": '<app>.Get("{}", func(c *fiber.Ctx) error {{ return c.SendStatus(200) }})',
    "chi": '<router>.Get("{}", func(w http.ResponseWriter, r *http.Request) {{}})',
    "gorilla": '<router>.HandleFunc("{}", func(w http.ResponseWriter, r *http.Request) {{}})',
    "net/http": '<mux>.HandleFunc("GET {}", func(w http.ResponseWriter, r *http.Request) {{}})',
    "express": '<app>.get("{}", (request, response) => response.send("ok"));',
}
_ASKS_FOR_HEALTH = regex(r"health|/(?:live|ready|ping|status)")


def _near(path: str, routes: list[Route]) -> tuple[str, str]:
    """The only route that tells health."""
    known = {route.path for route in routes if _ASKS_FOR_HEALTH.search(route.path) and "{" not in route.path}
    return (path, known.pop()) if len(known) == 1 else ("", "")


def _declared(path: str, routes: list[Route]) -> str:
    """The route in the framework that the others are declared with."""
    first = next((route for route in routes if route.framework in _DECLARED), None)
    path = path.lstrip("/") if first and first.framework == "django" else path
    return files.into(first.location.file, _DECLARED[first.framework].format(path)) if first else ""


def _routes(inventory: Inventory, service: Service) -> list[Route]:
    product = services.product(inventory, service)
    if product and product.kind == "proxy":  # a web server has routes of its own
        return []
    if any(_OWN_PAGES & set(command.words) for command in services.commands(inventory, service)):
        return []
    inside = served_routes.of(inventory, service)
    everything = any(item.path.strip("/") in _EVERYTHING or _is_mount_of_root(item) for item in inside)
    own = any(item.framework not in _METRICS for item in inside)  # without one, its own server isn't understood
    return inside if own and not everything else []


def _is_mount_of_root(route: Route) -> bool:
    """Whether another application answers to all that the routes don't."""
    return route.method == "*" and route.path == "/" and route.framework in ("fastapi", "starlette")


def _answers(route: str, path: str, *, whole: bool) -> bool:
    """Whether a route may answer to a path; before one that isn't whole may stand where it is mounted."""
    pieces = _PARAMETER.findall(route)
    parts = [re.escape(part) for part in _PARAMETER.split(route.rstrip("/"))]
    signs = [".*" if "path" in piece or "*" in piece else "[^/]+" for piece in pieces]
    pattern = "".join(part + sign for part, sign in zip(parts, [*signs, ""], strict=False))
    before = "^/?" if whole else "(?:^|/)"
    return bool(route.strip("/")) and bool(re.search(f"{before}{pattern.lstrip('/')}$", path.rstrip("/")))


def _opens_into(routes: list[Route], path: str) -> bool:
    """Whether a router of Express stands before a path of which no route is known, as where `require` brings it."""
    mine = [route for route in routes if route.framework == "express"]
    mounts = {route.path.rstrip("/") for route in mine if route.method == "*"}
    inside = [
        route
        for route in mine
        if route.method != "*" and (not route.whole or route.path.startswith(tuple(mounts - {""})))
    ]
    return not inside and any(mount and path.startswith(f"{mount}/") for mount in mounts)


def _may_be_brought(inventory: Inventory, service: Service, path: str) -> bool:
    """Whether a library may answer to a path, or a file by its place."""
    homes = served_routes.folders(inventory, service)
    return served_routes.is_page(inventory, homes, path) or any(
        _BRINGS_ROUTES.search(item.name) or ("metrics" in path and _BRINGS_METRICS.search(item.name))
        for manifest in inventory.manifests
        if any(not home or manifest.path.startswith(f"{home}/") for home in homes)
        for item in manifest.requirements
    )
