"""Prometheus scrapes a service of its own project by the address of one machine.

The address is that of the network of whoever wrote it. On every other host the target is down, or another machine's,
while the service's name would lead to it everywhere.

Anti-pattern:

    - targets: ["192.168.1.20:8000"]    # compose.yaml has a service api that publishes 8000

Better:

    - targets: ["api:8000"]

Recommendation:

    Name the service in place of the address.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#static_config
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import ScrapeJob, Target
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules._rule import Evidence, rule

_PRIVATE = regex(r"(?:192\.168|10\.\d{1,3})\.\d{1,3}\.\d{1,3}")
"""Addresses of offices and homes; those of Docker's own networks are left out."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every address of a private network with the port that exactly one service beside Prometheus publishes."""
    for job in inventory.scrape_jobs:
        projects = {service.project for service in monitoring.runners(inventory, job.file)}
        for target in job.targets if projects else ():
            found = list(_publishing(inventory, projects, target)) if _PRIVATE.fullmatch(target.host) else []
            if len({service.name for service, _ in found}) == 1 and not _is_of_several(inventory, job, target, found):
                yield _evidence(job, target, *found[0])


def _is_of_several(inventory: Inventory, job: ScrapeJob, target: Target, found: list[tuple[Service, Port]]) -> bool:
    """Whether the file asks several machines at this port, or the service by its name beside: the one is another's."""
    mine = [other for each in inventory.scrape_jobs if each.file == job.file for other in each.targets]
    machines = {other.host for other in mine if other.port == target.port and _PRIVATE.fullmatch(other.host)}
    return len(machines) > 1 or any(other.host == service.name for service, _ in found for other in mine)


def _publishing(inventory: Inventory, projects: set[str], target: Target) -> Iterator[tuple[Service, Port]]:
    for service in inventory.distinct_services:
        for port in service.ports if service.project in projects else ():
            if port.host_port == target.port:
                yield service, port


def _evidence(job: ScrapeJob, target: Target, service: Service, port: Port) -> Evidence:
    old, new = target.address, f"{service.name}:{port.target}"
    return Evidence(
        f"The job {job.name} asks {old}, an address of one network, for what {service.name} seems to answer: "
        "elsewhere the target is down.",
        target.location,
        subject=f"{job.name}/{old}",
        service=service.name,
        related=(Related(port.location, f"{service.name} publishes {target.port}"),),
        recommendation=f"Write {new} in place of {old} in {job.file}.",
        change=(old, new),
    )
