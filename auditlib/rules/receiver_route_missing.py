"""Alertmanager sends its notifications to a path that the service has no route for.

The service answers 404 to every one of them, Alertmanager counts failed notifications, and nobody is told. A receiver
that the own application was to offer is easily configured first and written never.

Anti-pattern:

    receivers:
      - name: backend
        webhook_configs: [{url: "http://backend:8000/api/alerts"}]    # and the backend has /health and /orders

Better:

    receivers:
      - name: on-call
        webhook_configs: [{url: "http://alert-bridge:9087/alerts"}]

Recommendation:

    Send notifications to a bridge, a chat or a mailbox that is there, or write the route, and try it with
    `amtool alert add`.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from auditlib import scraping
from auditlib.conventions import programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Integration, Receiver
from auditlib.inventory.code import Route
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _metric_lines as metric_lines
from auditlib.rules._rule import Evidence, rule

_ANYTHING = regex(r"(?:^|/)(?:\*|\{\w+:path\}|<path:\w+>|\(\.\*\))")
_CODE = (".py", ".js", ".ts", ".mjs", ".cjs", *programs.OTHER_LANGUAGES)


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every web hook to a service that is built here and whose routes and files know nothing of its path."""
    for receiver in inventory.receivers:
        for item in receiver.integrations:
            path = _path(item)
            service = scraping.service_named(inventory, graph, item.host, near=receiver.file) if path else None
            routes = _routes(inventory, service) if service else []
            if service and routes and not _is_known(inventory, service, routes, path):
                yield _evidence(receiver, item, service, routes, path)


def _path(item: Integration) -> str:
    """The path that a web hook asks; empty for others, and where a secret or a variable hides it."""
    if item.kind != "webhook" or "‹" in item.endpoint or "$" in item.endpoint:
        return ""
    return urlsplit(item.endpoint).path.strip("/").lower()


def _routes(inventory: Inventory, service: Service) -> list[Route]:
    """The routes of a service's code, if all of its code may be in languages whose routes are read."""
    folder = scraping.code_folder(inventory, service)
    if folder is None:
        return []
    below = f"{folder}/" if folder else ""
    foreign = any(path.startswith(below) and path.endswith(programs.OTHER_LANGUAGES) for path in inventory.files)
    found = [item for item in metric_lines.routes(inventory, folder) if not item.generated and item.path.strip("/")]
    return [] if foreign or any(_ANYTHING.search(item.path) for item in found) else found


def _is_known(inventory: Inventory, service: Service, routes: list[Route], path: str) -> bool:
    """Whether a route, or a file of code, goes by the last word of the path."""
    word = path.rpartition("/")[2].replace("-", "_").removesuffix("s")
    folder = scraping.code_folder(inventory, service)
    below = f"{folder}/" if folder else ""
    named = (item for item in inventory.files if item.startswith(below) and item.endswith(_CODE))
    return any(word in item.path.lower().replace("-", "_") for item in routes) or any(
        word in item.lower().replace("-", "_") for item in named
    )


def _evidence(receiver: Receiver, item: Integration, service: Service, routes: list[Route], path: str) -> Evidence:
    place = item.endpoint_location or item.location
    return Evidence(
        f"The receiver {receiver.name} sends to /{path} of {service.name}, which none of the {len(routes)} known "
        "routes of its code answers to: nobody gets the notification.",
        place,
        subject=f"{receiver.name}/{path}",
        service=service.name,
        related=(
            *(Related(route.location, f"the route {route.path}") for route in routes[:3]),
            Related(service.location, f"{service.name} is built from this code"),
        ),
        recommendation=f"Have {receiver.name} send to a chat, a mailbox or a bridge that is there, or write the route "
        f"/{path} in {service.name}.",
        example=files.into(receiver.file, "webhook_configs:\n  - url: <what takes notifications, and tells somebody>"),
    )
