"""Each worker process keeps metrics of its own.

Python's client library counts in the memory of one process. With several workers each request for `/metrics` is
answered by whichever worker takes it: counters jump back and forth, and rates are wrong.

Anti-pattern:

    command: gunicorn -w 4 shop.wsgi    # the code uses prometheus_client

Better:

    command: gunicorn -w 4 shop.wsgi
    environment:
      PROMETHEUS_MULTIPROC_DIR: /tmp/metrics
    # and a MultiProcessCollector behind /metrics

Recommendation:

    Use the library's mode for several processes, or one worker in each of several containers.

References:

- https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import monitoring, mounts, programs, services, stacks, worker_counts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import MULTIPROCESS, Instrumentation
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_PYTHON = frozenset({
    "prometheus_client", "prometheus_flask_exporter", "prometheus_fastapi_instrumentator", "starlette_exporter",
    "starlette_prometheus", "django_prometheus",
})  # fmt: skip

_FOLDER = "/tmp/metrics"  # noqa: S108 -- a folder of the container
_GATHERS = """\
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

def metrics() -> bytes:      # what /metrics answers
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)"""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service that is scraped and starts several workers on code with such a library, without its shared mode.

    Where no Prometheus is configured at all, whoever scrapes the first such service will meet it.
    """
    watched = scraping.watched(inventory, graph, monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory)))
    anybody = not inventory.prometheus
    for service in inventory.deployed_services if anybody else inventory.distinct_services:
        asked = service.key in watched or anybody
        folder = _folder(inventory, service) if asked and inventory.instrumentations else None
        tried = stacks.in_operation(inventory, service) if folder is not None else []
        found = next((found for item in tried if (found := worker_counts.several(inventory, item))), None)
        library = _library(inventory, folder or "") if found else None
        if found and library and not any(_is_shared(inventory, item) for item in tried):
            yield _evidence(service, found[0], found[1], library, Severity.LOW if anybody else None)
            if anybody:
                return


def _folder(inventory: Inventory, service: Service) -> str | None:
    """The folder of a service's code; the whole repository where that makes but the image which the service runs."""
    alone = any(item.service.key == service.key for item in programs.of_only_image(inventory))
    return "" if alone else scraping.code_folder(inventory, service)


def _library(inventory: Inventory, folder: str) -> Instrumentation | None:
    """The use of a client library in a folder, unless code in it gathers the metrics of several processes."""
    found = [item for item in inventory.instrumentations if mounts.is_below(item.location.file, folder)]
    if any(item.library == MULTIPROCESS for item in found):
        return None
    return next((item for item in found if item.library in _OF_PYTHON), None)


def _is_shared(inventory: Inventory, service: Service) -> bool:
    """Whether Compose or the image sets the folder that processes share."""
    build = services.dockerfile(inventory, service)
    named = [name for item in (build.instructions if build else ()) for name, _ in item.variables]
    alone = [item.given for item in programs.of_only_image(inventory) if item.service.key == service.key]
    names = [entry.name for entry in service.environment] + named + [name for given in alone for name in given]
    return any(name.upper() == "PROMETHEUS_MULTIPROC_DIR" for name in names)


def _evidence(
    service: Service, count: int, place: Location, library: Instrumentation, severity: Severity | None
) -> Evidence:
    return Evidence(
        f"{service.name} starts {count} workers, and nothing sets PROMETHEUS_MULTIPROC_DIR: each answers /metrics with "
        f"what it has counted itself.",
        place,
        subject=service.name,
        service=service.name,
        related=(Related(library.location, f"the code uses {library.library}"),),
        severity=severity,
        recommendation=f"Set PROMETHEUS_MULTIPROC_DIR for {service.name} and let its code gather by "
        "MultiProcessCollector.",
        example=_shared(service, library),
    )


def _shared(service: Service, library: Instrumentation) -> str:
    """A folder that is empty at each start, and the code that gathers from it where the library doesn't by itself."""
    lines = f"environment:\n  PROMETHEUS_MULTIPROC_DIR: {_FOLDER}\ntmpfs: [{_FOLDER}]"
    code = f"\n{files.into(library.location.file, _GATHERS)}" if library.library == "prometheus_client" else ""
    return compose_lines.of_service(service, lines) + code
