"""Prometheus asks one of several copies, each time perhaps another one.

The name of a service leads to all of its containers in turn. A target that is written out has one set of series, into
which each scrape writes the counters of the copy that happened to answer: `rate()` takes each change of the copy for a
restart, sums are too small, and a copy that hangs is seen now and then only.

Anti-pattern:

    worker: {image: acme/shop:1.4, deploy: {replicas: 3}}
    # prometheus.yml
    - job_name: worker
      static_configs: [{targets: ["worker:9091"]}]

Better:

    - job_name: worker
      dns_sd_configs: [{names: [worker], type: A, port: 9091}]

Recommendation:

    Let Prometheus look up all addresses behind the name, so that each copy is a target of its own.

References:

- https://prometheus.io/docs/prometheus/latest/configuration/configuration/#dns_sd_config
- https://docs.docker.com/reference/compose-file/deploy/#replicas
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import scraping
from auditlib.conventions import environments, monitoring, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import MetricSource


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each target that is the name of a service which Compose starts several times."""
    jobs = monitoring.jobs(inventory, monitoring.prometheus_in_use(inventory))
    told: set[tuple[str, str]] = set()
    for source in scraping.sources(inventory, graph, jobs):
        job, service = source.job, source.service
        written = source.target in job.targets and source.target not in job.discovered
        if service is None or not written or job.proxy or job.relabels or source.target.host != service.name:
            continue
        several = _several(inventory, service)
        if several is not None and (job.name, service.key) not in told:
            told.add((job.name, service.key))
            yield _evidence(source, several)


def _several(inventory: Inventory, service: Service) -> Service | None:
    """The version of a service that runs more than once."""
    versions = (item for item in stacks.in_operation(inventory, service) if not environments.only_for_development(item))
    return next((item for item in versions if (item.replicas or 1) > 1), None)


def _evidence(source: MetricSource, service: Service) -> Evidence:
    job, target = source.job, source.target
    found = f"dns_sd_configs: [{{names: [{target.host}], type: A, port: {target.port or '<its port>'}}}]"
    return Evidence(
        f"{service.name} runs {service.replicas} times, and the job {job.name} has its name as one target: each scrape "
        "asks the copy that the name leads to just then, so that counters jump.",
        target.location,
        subject=f"{job.name}/{service.name}",
        service=service.name,
        related=(Related(service.location, f"{service.name} runs {service.replicas} times"),),
        recommendation=f"Find the copies of {service.name} by `dns_sd_configs` in the job {job.name}.",
        example=files.into(job.file, f"- job_name: {job.name}\n  {found}"),
    )
