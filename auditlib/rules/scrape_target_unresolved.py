"""Prometheus is told to scrape a host that no service answers to.

A target that can't be resolved is down for ever: its metrics are missing, alerts on them stay silent, and an alert on
`up == 0` fires from the first day on until somebody silences it.

Anti-pattern:

    scrape_configs:
      - job_name: postgres
        static_configs:
          - targets: ["postgres-exporter:9187"]    # no such service

Better:

    services:
      postgres-exporter:
        image: quay.io/prometheuscommunity/postgres-exporter:v0.15.0

Recommendation:

    Add the service that is missing, correct the host's name, or remove the job.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#static_config
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, peers
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Target
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed

_NOT_A_SERVICE = re.compile(
    r"^(?:localhost|[\d.]+|\[?[0-9a-f:]*:[0-9a-f:]*\]?|.*\.docker\.internal|gateway|host)$|[.${}<>%]", re.I
)
"""Hosts that are no service by their form: addresses, names with a domain, placeholders that something fills in."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every bare host of a scrape configuration that is no service, alias or container of the repository."""
    if not inventory.services:
        return
    unknown: defaultdict[tuple[str, str], list[tuple[str, Target]]] = defaultdict(list)
    for file, job, target in _targets(inventory):
        if (
            target.host
            and not peers.is_known(inventory, target.host)
            and not _NOT_A_SERVICE.search(target.host)
            and graph.hosts.resolve(target.host, near=file) is None
        ):
            unknown[file, target.host].append((job, target))
    for (file, host), uses in unknown.items():
        yield _evidence(inventory, file, host, uses)


def _targets(inventory: Inventory) -> Iterator[tuple[str, str, Target]]:
    for job in inventory.scrape_jobs:
        yield from ((job.file, f"the job {job.name}", target) for target in job.targets)
    for config in inventory.prometheus:
        yield from ((config.file, "alerting", target) for target in config.alertmanagers)


def _evidence(inventory: Inventory, file: str, host: str, uses: list[tuple[str, Target]]) -> Evidence:
    elsewhere = bool(deployment.orchestrator_files(inventory))
    doubt = "; it may be a service of the orchestrator that the repository also deploys to" if elsewhere else ""
    job, first = uses[0]
    projects = [item for item in inventory.projects if item.role == "base"] or list(inventory.projects)
    return Evidence(
        f"{host}{':' + first.port if first.port else ''}, a target of {listed(job for job, _ in uses)}, is no service "
        f"of any Compose project of the repository{doubt}.",
        first.location,
        subject=host,
        related=(
            *(Related(target.location, f"{other} names it too", member=True) for other, target in uses[1:]),
            *(Related(item.location, f"no service of this project is called {host}") for item in projects[:3]),
        ),
        recommendation=f"Add a service {host} to {projects[0].location.file}, or remove {job} from {file}."
        if projects
        else "",
        confidence=Confidence.MEDIUM if elsewhere else None,
    )
