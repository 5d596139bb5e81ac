"""Grafana is told to ask a host that no service answers to.

The data source is provisioned, its test fails, and every dashboard on it stays empty.

Anti-pattern:

    datasources:
      - name: Prometheus
        type: prometheus
        url: http://prometheus:9090      # no such service

Better:

    services:
      prometheus:
        image: prom/prometheus:v2.54.1

Recommendation:

    Add the service that is missing, or correct the address.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment, grafana, peers, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.inventory.stack import Endpoint
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.redaction import host_of
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LOOPBACK = regex(r"^(?:localhost|127\.[\d.]+|::1)$")
_SERVICE = regex(r"^[a-z0-9][a-z0-9_-]*$", re.I)
"""A host that only a service can be: it has no domain, and no placeholder is in it."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every data source whose bare host is no service, or is the loopback of Grafana's own container."""
    if not inventory.services:
        return
    for item in inventory.datasources:
        host = host_of(item.url)
        if peers.is_known(inventory, host) or _may_be_known(inventory, item, host):
            continue
        if _LOOPBACK.match(host):
            yield from _loopback(inventory, item, host)
        elif _SERVICE.match(host) and not host.isdigit() and graph.hosts.resolve(host, near=item.file) is None:
            yield _unknown(inventory, item, host)


def _may_be_known(inventory: Inventory, item: Datasource, host: str) -> bool:
    """Whether the Grafana that reads a file may know a name that no project has: by a network of others, or its own
    list of hosts.
    """
    everyone = grafana.servers(inventory)
    readers = [server for server in everyone if grafana.sees(server, grafana.SOURCES, item.file)] or everyone
    end = Endpoint("http", host, "")
    return not _LOOPBACK.match(host) and any(peers.may_be_known(inventory, server, end) for server in readers)


def _loopback(inventory: Inventory, item: Datasource, host: str) -> Iterator[Evidence]:
    servers = grafana.servers(inventory)
    if servers and not any(server.network_mode for server in servers):
        yield Evidence(
            f"The data source {item.name} asks {host}, which is Grafana's own container.",
            item.location,
            subject=item.name,
            related=tuple(Related(server.location, "Grafana runs here") for server in servers[:1]),
            recommendation=f"Let {item.name} in {item.file} name the service to ask.",
            change=(host, _asked(inventory, item)),
            example=files.into(item.file, f"- name: {item.name}\n  url: http://{_asked(inventory, item)}:<its port>"),
        )


def _asked(inventory: Inventory, item: Datasource) -> str:
    """The service that runs what a data source is of, if only one does."""
    found = [service.name for service in services.of_product(inventory, item.type.capitalize())]
    return found[0] if len(found) == 1 else "<the service to ask>"


def _unknown(inventory: Inventory, item: Datasource, host: str) -> Evidence:
    elsewhere = bool(deployment.orchestrator_files(inventory))
    doubt = "; it may be a service of the orchestrator that the repository also deploys to" if elsewhere else ""
    projects = inventory.base_projects or inventory.projects
    return Evidence(
        f"The data source {item.name} asks {host}, which is no service of any Compose project of the repository"
        f"{doubt}.",
        item.location,
        subject=item.name,
        related=tuple(
            Related(found.location, f"no service of this project is called {host}") for found in projects[:3]
        ),
        recommendation=f"Add a service {host}, or correct the address of {item.name} in {item.file}.",
        example=compose_lines.new_service(inventory, host, grafana.servers(inventory)),
        confidence=Confidence.MEDIUM if elsewhere else None,
    )
