"""An application gives metrics, and nothing collects them.

Somebody has written code that counts requests and errors. Without a Prometheus, or another collector, that asks for the
counts there is no graph, no alert and no past to look at; the work is done and serves nobody.

Anti-pattern:

    # app.py: REQUESTS = prometheus_client.Counter(...)
    services:
      api: {build: .}
      # no Prometheus

Better:

    services:
      api: {build: .}
      prometheus:
        image: prom/prometheus:v2.55.0
        volumes: ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"]

Recommendation:

    Run a Prometheus that scrapes the application, or say in the documents which one elsewhere does.

References:

- https://prometheus.io/docs/prometheus/latest/getting_started/
- https://prometheus.io/docs/instrumenting/clientlibs/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import deployment, environments, listening, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import MULTIPROCESS, Instrumentation
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule

_COLLECTORS = regex(
    r"prometheus|collector|otel|alloy|grafana|telegraf|timberio|victoria|vmagent|datadog|netdata|signoz|newrelic|zabbix"
)
"""Images and names of services that may ask for metrics."""


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The first deployed application whose code has a client library, where the repository has no collector at all."""
    if inventory.prometheus or not inventory.instrumentations or deployment.uses_orchestrator(inventory):
        return
    if any(_COLLECTORS.search(f"{item.image} {item.name}".lower()) for item in inventory.services):
        return
    for service in inventory.deployed_services:
        library = _library(inventory, service)
        if library and not environments.only_for_development(service) and not services.is_one_shot(service):
            yield _evidence(inventory, service, library)
            return


def _library(inventory: Inventory, service: Service) -> Instrumentation | None:
    """The use of a client library in the code of a service."""
    folder = scraping.code_folder(inventory, service)
    found = (item for item in inventory.instrumentations if item.library != MULTIPROCESS and folder is not None)
    own = (item for item in found if mounts.is_below(item.location.file, folder or ""))
    return next((item for item in own if not environments.is_for_development(item.location.file)), None)


def _evidence(inventory: Inventory, service: Service, library: Instrumentation) -> Evidence:
    port = next(iter(listening.to_ask(inventory, service)), "<port of its metrics>")
    return Evidence(
        f"The code of {service.name} counts by {library.library}, and no Prometheus or other collector of the "
        "repository asks for it: unless one elsewhere does, nobody sees the metrics.",
        library.location,
        subject=service.name,
        service=service.name,
        related=(Related(service.location, f"{service.name} runs this code"),),
        recommendation=f"Run a Prometheus that scrapes {service.name}, or say in the documents which one does.",
        example=files.into("prometheus.yml", monitoring_lines.job(service.name, f"{service.name}:{port}")),
    )
