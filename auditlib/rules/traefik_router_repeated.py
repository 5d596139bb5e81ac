"""Two services give Traefik a router of the same name.

Names of routers and services count for all that a Traefik reads. Where two containers of different programs use the
same, Traefik takes them for copies of one and sends every other request to the wrong program, or, where their rules
differ, leaves the router out and answers 404.

Anti-pattern:

    # compose.yaml
    grafana:
      labels: ["traefik.http.routers.grafana.rule=Host(`grafana.acme.example`)"]
    # compose.monitoring.yaml
    grafana:
      labels: ["traefik.http.routers.grafana.rule=Host(`grafana.acme.example`)"]

Better:

    # compose.monitoring.yaml
    grafana:
      labels: ["traefik.http.routers.watch-grafana.rule=Host(`watch.acme.example`)"]

Recommendation:

    Give each router a name and a host of its own, or leave one of the services out.

References:

- https://doc.traefik.io/traefik/reference/routing-configuration/other-providers/docker/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, traefik, traefik_settings
from auditlib.conventions.traefik import Route
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each name of a router that two services of one project, or of two stacks of one Swarm, use."""
    told: set[Location] = set()
    for mine, across in _together(inventory):
        by_name: defaultdict[tuple[str, str], list[Route]] = defaultdict(list)
        for service in mine:
            for route in traefik.routes_of(service, enabled=False):
                by_name[route.protocol, route.router.lower()].append(route)
        for routes in by_name.values():
            other = next((item for item in routes if item.service.key != routes[0].service.key), None)
            if other and not _are_copies(routes[0], other) and "$" not in other.router and other.location not in told:
                told.add(other.location)
                yield _evidence(routes[0], other, across=across)


def _together(inventory: Inventory) -> Iterator[tuple[list[Service], bool]]:
    """The services whose labels one Traefik reads, as far as the files tell; and whether they are of two stacks."""
    for settings in traefik_settings.servers(inventory):
        if settings.reads_labels:
            yield _of_project(inventory, settings.project), False
    for project in inventory.deployed_projects:
        if proxy := traefik_settings.of_other_stack(inventory, project):
            yield [*_of_project(inventory, proxy.project), *_of_project(inventory, project.name)], True


def _of_project(inventory: Inventory, name: str) -> list[Service]:
    """The services of a project that all start: one with a profile may stand in the place of another."""
    found = (item for item in inventory.services_of(name).values() if item.project == name)
    return [item for item in found if not item.profiles and not environments.is_for_developers(inventory, item)]


def _are_copies(first: Route, other: Route) -> bool:
    """Whether two of one project are meant to share the load: a router of one rule leads to one service of a name."""
    target = traefik.target_of(first)
    together = first.service.project == other.service.project
    return together and first.rule == other.rule and bool(target) and target == traefik.target_of(other)


def _differ(first: Route, other: Route) -> str:
    """In what the two differ; nothing where Traefik takes their programs for copies of one."""
    if first.rule != other.rule:
        return "rules"
    mine, theirs = (traefik.target_of(item) or item.service.name for item in (first, other))
    return "services behind it" if mine != theirs else ""


def _evidence(first: Route, other: Route, *, across: bool) -> Evidence:
    differ = _differ(first, other)
    follows = f"leaves the router out, as the {differ} differ" if differ else "takes both for copies of one program"
    places = f" ({first.location.file} and {other.location.file})" if across else ""
    names = f"{first.service.name} and {other.service.name}" if not across else f"Two services{places}"
    return Evidence(
        f"{names} both have the router {other.router}: Traefik {follows}.",
        other.location,
        subject=f"{other.service.project}/{other.router}",
        service=other.service.name,
        related=(Related(first.location, f"the router {first.router} of {first.service.name}"),),
        recommendation=f"Give the router {other.router} of {other.location.file} a name and a host of its own.",
        confidence=Confidence.MEDIUM if across else None,
        example=compose_lines.of_service(
            other.service,
            f"labels:\n  - traefik.http.routers.{other.service.name}-2.rule=Host(`<a name of its own>`)",
        ),
    )
