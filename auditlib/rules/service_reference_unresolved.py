"""An environment value names a host that no service answers to.

A name without a dot is looked up among the services of the container's networks. A service that was renamed, moved to
another file or never added leaves a name behind that resolves to nothing, and the connection fails when it is first
used, often long after the start.

Anti-pattern:

    api:
      environment:
        SMTP_HOST: mailhog  # no service is called so

Better:

    api:
      environment:
        SMTP_HOST: mailpit
    mailpit:
      image: axllent/mailpit:v1.20

Recommendation:

    Correct the name, add the service, or take a variable without default for a host outside the project.

References:

- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, peers
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ConfigAddress
from auditlib.inventory.stack import Endpoint, EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules._rule import Evidence, rule

_NO_ADDRESS = ("SERVICE_NAME", "APP_HOST", "SERVER_HOST", "BIND_HOST")
"""Names whose bare words say what the service itself is called, or listens on."""
_Use = tuple[Service, EnvironmentEntry, Endpoint]


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project and name one finding for all values that hold it."""
    found: dict[tuple[str, str], dict[Location, _Use]] = {}
    for service in inventory.services:
        for entry in service.environment:
            if entry.name.upper().endswith(_NO_ADDRESS):
                continue
            for end in entry.endpoints:
                known = graph.hosts.resolve(end.host, service.project, end.port)
                if peers.could_be_service(end) and not known and not peers.may_be_known(inventory, service, end):
                    uses = found.setdefault((service.project, end.host), {})
                    uses.setdefault(entry.location, (service, entry, end))
    for (_, host), uses in found.items():
        yield _evidence(host, list(uses.values()))
    yield from _in_configuration(inventory, graph)


def _in_configuration(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The hosts in the files that services mount; scrape targets, data sources and proxies have rules of their own."""
    others = {item.file for item in inventory.prometheus} | {item.file for item in inventory.datasources}
    others |= {item.file for item in inventory.reverse_proxies}
    named: defaultdict[str, dict[str, ConfigAddress]] = defaultdict(dict)
    for item in inventory.config_addresses:
        if item.location.file not in others:
            named[item.location.file].setdefault(item.end.host, item)
    for file, addresses in named.items():
        users = [service for service in inventory.services if mounts.path_inside(service, file)]
        for item in addresses.values():
            if users and not any(_is_known(inventory, graph, service, item.end) for service in users):
                yield _of_configuration(users[0], item.end, item.location)


def _is_known(inventory: Inventory, graph: DependencyGraph, service: Service, end: Endpoint) -> bool:
    resolved = graph.hosts.resolve(end.host, service.project, end.port)
    return bool(resolved) or not peers.could_be_service(end) or peers.may_be_known(inventory, service, end)


def _of_configuration(service: Service, end: Endpoint, place: Location) -> Evidence:
    return Evidence(
        f"{place.file}, which {service.name} reads, leads to {end.host}:{end.port}, which is neither a service nor an "
        "alias of the project.",
        place,
        subject=f"{place.file}/{end.host}",
        service=service.name,
        related=(Related(service.location, f"{service.name} mounts the file"),),
        recommendation=f"Correct the address in {place.file}, or add a service {end.host}.",
        severity=Severity.LOW if environments.is_for_development(place.file) else None,
        confidence=Confidence.MEDIUM,
    )


def _evidence(host: str, uses: list[_Use]) -> Evidence:
    (service, entry, _), *others = uses
    certain = any(end.scheme for _, _, end in uses)
    doubt = "" if certain else ", if it is meant as a host"
    by_default = bool(entry.variables)
    return Evidence(
        f"{entry.name} of {service.name} {'leads by default' if by_default else 'leads'} to {host}, which is neither a "
        f"service nor an alias of the project{doubt}.",
        entry.location,
        subject=f"{service.name}/{host}",
        service=service.name,
        related=tuple(Related(item.location, f"{item.name} of {other.name} names it too") for other, item, _ in others),
        recommendation=f"Correct {entry.name}, or add a service {host}.",
        severity=Severity.LOW if environments.is_for_development(entry.location.file) else None,
        confidence=None if certain else Confidence.MEDIUM,
    )
