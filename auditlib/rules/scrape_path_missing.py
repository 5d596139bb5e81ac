"""Prometheus scrapes an application that has no metrics.

The job asks for a path that is no route of the application, and no dependency instruments it. Each scrape answers 404,
the target is down for ever, and the dashboards that are built on it stay empty.

Anti-pattern:

    # prometheus.yml
    - job_name: api
      static_configs: [{targets: ["api:8000"]}]
    # main.py has /health and no /metrics; requirements.txt has no prometheus library

Better:

    # requirements.txt: prometheus-fastapi-instrumentator==7.0.0
    Instrumentator().instrument(app).expose(app, endpoint="/metrics")

Recommendation:

    Instrument the application with a client library of Prometheus, or remove the job until it is.

References:

- https://prometheus.io/docs/instrumenting/clientlibs/
- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Route
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _scraping as scraping
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import counted


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every target that is built here, whose routes are known, and that has neither route nor instrumentation."""
    jobs = scraping.jobs(inventory, monitoring.prometheus_in_use(inventory))
    for source in scraping.sources(inventory, graph, jobs):
        if not source.silent or source.service is None:
            continue
        routes = _routes(inventory, scraping.code_folder(inventory, source.service) or "")
        yield Evidence(
            f"The job {source.job.name} asks {source.target.host} for {source.job.metrics_path}, but none of the "
            f"{counted(len(routes), 'route')} of its code is that, and none of its dependencies gives metrics.",
            source.target.location,
            subject=f"{source.job.name}/{source.service.name}",
            service=source.service.name,
            related=(
                *(Related(route.location, f"the code has {route.path}") for route in routes[:4]),
                Related(source.service.location, f"{source.service.name} is built from this code"),
            ),
            recommendation=f"Add a Prometheus client library to the code of {source.service.name} and serve "
            f"{source.job.metrics_path}.",
        )


def _routes(inventory: Inventory, folder: str) -> list[Route]:
    found = [item for item in inventory.web_routes if item.location.file.startswith(folder + "/" if folder else "")]
    return sorted(found, key=lambda item: "health" not in item.path)
