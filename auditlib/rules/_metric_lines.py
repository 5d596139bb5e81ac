"""What gives metrics that nobody gives yet: a job for an exporter, or a library in an application that is asked."""

from __future__ import annotations

from collections.abc import Sequence

from auditlib import scraping
from auditlib.conventions import exporters
from auditlib.conventions.exporters import Exporter
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import Route
from auditlib.inventory.monitoring import ScrapeJob
from auditlib.inventory.stack import Service
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules import _monitoring_lines as monitoring_lines

_SHARED_PORTS = ("8080", "3000", "9090", "8081")
_INSTRUMENTED = {
    "fastapi": 'Instrumentator().instrument(app).expose(app, endpoint="{}")  # prometheus-fastapi-instrumentator',
    "flask": 'PrometheusMetrics(app, path="{}")  # prometheus-flask-exporter',
    "django": 'path("", include("django_prometheus.urls"))  # django-prometheus, answers at {}',
    "express": 'app.get("{}", async (_, response) => response.send(await register.metrics()))  // prom-client',
}


def given(inventory: Inventory, graph: DependencyGraph, config: str, wanted: Sequence[Exporter]) -> tuple[str, str]:
    """The first step to metrics, in words and in lines; an application that a job asks already needs no other job."""
    asked = _asked_in_vain(inventory, graph, config) if exporters.APPLICATION in wanted else None
    jobs = [item for item in wanted if not (asked and item is exporters.APPLICATION)]
    steps, lines = [], []
    if jobs and (aimed := _aimed(inventory, config, jobs[0])):
        steps.append(f"{listed(item.name for item in jobs)} and its address to the job {aimed.name} of {config}")
        lines.append(monitoring_lines.for_exporter(inventory, config, jobs[0], name=aimed.name))
    elif jobs:
        steps.append(f"a job for {listed(item.name for item in jobs)} to {config}")
        lines.append(monitoring_lines.for_exporter(inventory, config, jobs[0]))
    if asked:
        service, job = asked
        steps.append(f"a client library of Prometheus to {service.name}, which the job {job.name} asks already")
        found = routes(inventory, scraping.code_folder(inventory, service) or "")
        lines.append(instrumented(found, job.metrics_path))
    return f"Add {listed(steps)}", "\n".join(filter(None, lines))


def _aimed(inventory: Inventory, config: str, wanted: Exporter) -> ScrapeJob | None:
    """The job that asks the port of an exporter, at a host that is none."""
    own = [port for port in wanted.ports if wanted.own and port not in _SHARED_PORTS]
    jobs = (item for item in inventory.scrape_jobs if item.file == config)
    return next((item for item in jobs if any(target.port in own for target in item.targets)), None)


def _asked_in_vain(inventory: Inventory, graph: DependencyGraph, config: str) -> tuple[Service, ScrapeJob] | None:
    """The first application that a job scrapes and that has no metrics."""
    jobs = (item for item in inventory.scrape_jobs if item.file == config)
    silent = (item for item in scraping.sources(inventory, graph, jobs) if item.silent)
    return next(((item.service, item.job) for item in silent if item.service), None)


def instrumented(found: Sequence[Route], path: str) -> str:
    """What serves metrics with the framework that routes are declared with."""
    first = next((item for item in found if item.framework in _INSTRUMENTED), None)
    return files.into(found[0].location.file, _INSTRUMENTED[first.framework].format(path)) if first else ""


def routes(inventory: Inventory, folder: str) -> list[Route]:
    """The routes of the code in a folder, those for health checks first."""
    found = [item for item in inventory.web_routes if item.location.file.startswith(folder + "/" if folder else "")]
    return sorted(found, key=lambda item: "health" not in item.path)
