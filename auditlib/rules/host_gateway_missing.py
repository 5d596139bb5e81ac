"""A container names its host by a name that Linux doesn't know.

Docker Desktop makes `host.docker.internal` known by itself. Docker on a Linux server doesn't: without an entry in
`extra_hosts` the name doesn't resolve, and what worked on a laptop fails after the deployment.

Anti-pattern:

    services:
      api:
        environment:
          DATABASE_URL: postgresql://app@host.docker.internal:5432/app

Better:

    services:
      api:
        environment:
          DATABASE_URL: postgresql://app@host.docker.internal:5432/app
        extra_hosts:
          - host.docker.internal:host-gateway

Recommendation:

    Add `host.docker.internal:host-gateway` to `extra_hosts`, or run what is meant as a service of the project.

References:

- https://docs.docker.com/reference/compose-file/services/#extra_hosts
- https://docs.docker.com/desktop/features/networking/#i-want-to-connect-from-a-container-to-a-service-on-the-host
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, monitoring, programs
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_HOST = "host.docker.internal"


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that is told of its host by that name, by Compose or a file that it mounts, and isn't given it."""
    in_files = _in_files(inventory)
    for service in inventory.distinct_services:
        if _knows(inventory, service) or environments.only_for_development(service):
            continue
        places = [entry.location for entry in service.environment if any(end.host == _HOST for end in entry.endpoints)]
        if any(end.host == _HOST for end in service.command_endpoints):
            places.append(service.command_location or service.location)
        places += in_files.get(service.key, ())
        if places:
            yield _evidence(service, list(dict.fromkeys(places)))


def _knows(inventory: Inventory, service: Service) -> bool:
    """Whether the name is given to the service in some file, or it has the host's own network."""
    versions = inventory.versions(service) or [service]
    return any(_HOST in item.extra_hosts or item.network_mode for item in versions)


def _in_files(inventory: Inventory) -> dict[str, list[Location]]:
    """By service: where the configurations that it mounts, and the templates of its environment, name its host."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for service, line in programs.by_template(inventory):
        if any(end.host == _HOST for end in line.endpoints):
            found[service.key].append(line.location)
    for file, place in _mentions(inventory):
        for service in monitoring.runners(inventory, file):
            found[service.key].append(place)
    return found


def _mentions(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """The places of configurations, each with its file, that name the host."""
    for job in inventory.scrape_jobs:
        yield from ((job.file, target.location) for target in job.targets if target.host == _HOST)
    for config in inventory.prometheus:
        yield from ((config.file, target.location) for target in config.alertmanagers if target.host == _HOST)
    for source in inventory.datasources:
        if f"//{_HOST}" in source.url:
            yield source.file, source.location
    for proxy in inventory.reverse_proxies:
        yield from ((proxy.file, item.location) for item in proxy.upstreams if item.host == _HOST)


def _evidence(service: Service, places: list[Location]) -> Evidence:
    first, *others = places
    return Evidence(
        f"{service.name} is told of {_HOST}, and its `extra_hosts` don't give it: on a Linux host without Docker "
        "Desktop the name doesn't resolve.",
        first,
        subject=service.name,
        service=service.name,
        related=(
            *(Related(place, "names it too", member=True) for place in others),
            Related(service.location, f"{service.name} has no `extra_hosts` for it"),
        ),
        recommendation=f"Add `extra_hosts: [{_HOST}:host-gateway]` to {service.name}.",
        example=compose_lines.of_service(service, f'extra_hosts:\n  - "{_HOST}:host-gateway"'),
    )
