"""Prometheus watches some services of a project, and others not at all.

A service without a target has no graph and no alert. When it stops, when its queue grows, when it answers errors, users
are the first to notice.

Anti-pattern:

    # prometheus.yml has jobs for api and postgres
    services:
      worker: {build: ./backend, command: celery -A app worker}    # no job, no exporter, no probe

Better:

    scrape_configs:
      - job_name: worker
        static_configs: [{targets: ["worker:9101"]}]

Recommendation:

    Give each long-running service metrics, an exporter, or at least a probe by the blackbox exporter.

References:

- https://prometheus.io/docs/practices/instrumentation/
- https://github.com/prometheus/blackbox_exporter
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import scraping, watching
from auditlib.conventions import environments, exporters, monitoring, mounts, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import PrometheusConfig, ScrapeJob
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _durability as durability
from auditlib.rules import _monitoring_lines as monitoring_lines
from auditlib.rules._rule import Evidence, rule
from auditlib.scraping import MetricSource

_OF_CELERY = frozenset({"Celery exporter", "Flower"})
_OF_APPLICATIONS = {"eureka_sd_configs"}
"""Registries in which applications enter themselves; a database doesn't."""
_KINDS = {"datastore": ("database", "db"), "broker": ("broker",)}
"""What applications call the store of a kind in the names of their metrics."""
_NO_WORD = regex(r"\W")
_OF_COMPOSE = "com_docker_compose_service"
_ENDPOINT = regex(r"OTEL_EXPORTER_OTLP_(?:\w+_)?ENDPOINT")
_LOOP = regex(r"\b(?:while|until)\b.*\bsleep\b", re.S)
_WORKERS = regex(r"celery_(?:\w+_)?workers?(?:_|$)")
_LEFT_OUT = services.AUXILIARY | services.OBSERVABILITY


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project with monitored services one finding for all those that nothing watches."""
    configs = monitoring.prometheus_in_use(inventory)
    jobs = monitoring.jobs(inventory, configs)
    sources = list(scraping.sources(inventory, graph, jobs))
    opened = [job for job in jobs if scraping.is_open(job) and not _is_kept_to_labels(job)]
    if any(set(job.discovery) != _OF_APPLICATIONS for job in opened) or any(_takes_all(source) for source in sources):
        return
    seers = [item for item in sources if item.exporter is not None and item.exporter.name == "cAdvisor"]
    outside = bool(seers)
    seen = any(item.service or "." in item.target.host for item in seers)
    watched = scraping.watched(inventory, graph, jobs) | _behind_exporters(inventory, graph, sources)
    choosy = [job for job in jobs if _is_kept_to_labels(job)]
    watched |= {item.key for item in inventory.services for job in choosy if _is_kept(job, item)}
    outer = scraping.asked_from_outside(inventory, graph, jobs)
    products = {name for source in sources if source.exporter for name in source.exporter.watches}
    own = stacks.by_project(inventory.distinct_services)
    for project in inventory.base_projects:
        mine = own.get(project.name, [])
        candidates = [item for item in mine if _is_to_be_watched(inventory, item, products)]
        if opened or outside:  # the applications may all be registered, or seen as containers
            candidates = [item for item in candidates if services.is_datastore(inventory, item)]
        unwatched = [item for item in candidates if item.key not in watched | outer]
        if any(_watches_workers(inventory, source) for source in sources) or _counts_workers(inventory):
            unwatched = [item for item in unwatched if not durability.is_celery_worker(inventory, item)]
        told = _told_by_applications(inventory) if unwatched else frozenset()
        unwatched = [item for item in unwatched if told.isdisjoint(_words_for(inventory, item))]
        unwatched = [item for item in unwatched if not _is_told_of(inventory, item)]
        if any(item.key in watched for item in mine) and unwatched:
            runs = watching.is_run(inventory, configs)
            file = _own_file(inventory, configs, project)
            yield _evidence(inventory, file, project, unwatched, "are" if runs else "would be", seen)


def _own_file(inventory: Inventory, configs: tuple[PrometheusConfig, ...], project: Project) -> str:
    """The configuration of the project's own Prometheus; the first where it has none."""
    running = {item.file: monitoring.runners(inventory, item.file) for item in configs}
    mine = (file for file, found in running.items() if any(item.project == project.name for item in found))
    return next(mine, configs[0].file)


def _told_by_applications(inventory: Inventory) -> frozenset[str]:
    """The words of the metrics that alerts ask for, less the first one, which says who gives them: by
    `shop_database_up` the application tells how its database is, by `redis_up` an exporter would.
    """
    names = {name for alert in monitoring.alerts(inventory) for name in alert.query.metrics}
    own = (name for name in names if exporters.of_metric(name) in (None, exporters.APPLICATION))
    return frozenset(word for name in own for word in name.lower().split("_")[1:])


def _is_told_of(inventory: Inventory, service: Service) -> bool:
    """Whether an alert asks for metrics called after a worker, which listens nowhere: the application gives them."""
    name = service.name.lower().replace("-", "_")
    asked = (metric for alert in monitoring.alerts(inventory) for metric in alert.query.metrics)
    return durability.is_worker(inventory, service) and any(metric.startswith(f"{name}_") for metric in asked)


def _words_for(inventory: Inventory, service: Service) -> set[str]:
    """What a service may be called in the name of a metric."""
    found = services.product(inventory, service)
    words = {service.name.lower()}
    if found is not None:
        words |= {found.name.lower(), *_KINDS.get(found.kind, ())}
    return words - {"api", "app", "web", "worker"}


def _is_kept_to_labels(job: ScrapeJob) -> bool:
    """Whether all that a job finds are containers with labels that it asks for."""
    return job.discovery == ("docker_sd_configs",) and bool(job.kept_labels)


def _is_kept(job: ScrapeJob, service: Service) -> bool:
    """Whether a service has the labels that a job asks for, the one by which Compose names it among them."""
    own = {_NO_WORD.sub("_", label.name): label.value for label in service.labels} | {_OF_COMPOSE: service.name}
    return all(monitoring.takes(each, own.get(each.name, "")) for each in job.kept_labels)


def _takes_all(source: MetricSource) -> bool:
    """Whether metrics of anything may come in by themselves."""
    return source.exporter is not None and source.exporter.relays


def _watches_workers(inventory: Inventory, source: MetricSource) -> bool:
    """Whether a source tells what the workers of Celery do: Flower, also as a command of the application's image."""
    if source.exporter is not None:
        return source.exporter.name in _OF_CELERY
    commands = services.commands(inventory, source.service) if source.service else ()
    return any({"celery", "flower"} <= set(command.words) for command in commands)


def _counts_workers(inventory: Inventory) -> bool:
    """Whether an alert asks how many workers of Celery there are, as an application of one's own counts them."""
    return any(_WORKERS.search(name) for alert in monitoring.alerts(inventory) for name in alert.query.metrics)


def _behind_exporters(inventory: Inventory, graph: DependencyGraph, sources: list[MetricSource]) -> set[str]:
    """What scraped exporters, those too that are only called so, hold an address of, or name in their options."""
    found: set[str] = set()
    for source in sources:
        if source.service and (source.exporter or "exporter" in f"{source.service.name} {source.service.image}"):
            found |= {peer.key for peer in scraping.peers(inventory, graph, source.service)}
            words = " ".join(source.service.command)
            others = inventory.services_of(source.service.project).values()
            found |= {item.key for item in others if re.search(rf"(?<![\w.-]){re.escape(item.name)}(?=:\d)", words)}
    return found


def _is_to_be_watched(inventory: Inventory, service: Service, products: set[str]) -> bool:
    found = services.product(inventory, service)
    if environments.only_for_development(service) or services.is_one_shot(service) or _is_loop(inventory, service):
        return False
    if _sends_metrics(inventory, service):
        return False
    if exporters.of_image(service.image) and (found is None or found.kind not in services.DATASTORES):
        return False
    return found is None or (found.kind not in _LEFT_OUT and found.name not in products)


def _sends_metrics(inventory: Inventory, service: Service) -> bool:
    """Whether its metrics may go another way: to an agent, or by OpenTelemetry, unless the collector that it is told of
    carries none.
    """
    names = {entry.name for entry in service.environment}
    if any(name.startswith(("DD_", "NEW_RELIC_")) for name in names):
        return True
    told = [entry for entry in service.environment if _ENDPOINT.fullmatch(entry.name)]
    hosts = {end.host for entry in told for end in entry.endpoints}
    carried = [part for part in inventory.collector_parts if part.section == "pipelines"]
    takers = {item.name for part in carried for item in monitoring.runners(inventory, part.location.file)}
    known = bool(hosts) and hosts <= takers and all(part.kind != "metrics" for part in carried)
    return any(name.startswith("OTEL_") for name in names) and not known


def _is_loop(inventory: Inventory, service: Service) -> bool:
    """Whether a shell does something from time to time and has no port: there is nothing to ask, but what it did."""
    words = (*service.entrypoint, *service.command)
    scripts = (inventory.scripts_by_path.get(mounts.path_outside(service, word)) for word in words if "/" in word)
    waits = any(command.words[:1] == ("sleep",) for script in scripts if script for command in script.commands)
    return not service.ports and (waits or bool(_LOOP.search(" ".join(words))))


def _evidence(
    inventory: Inventory, config: str, project: Project, unwatched: list[Service], others: str, outside: bool
) -> Evidence:
    names = listed(item.name for item in unwatched)
    first, *rest = unwatched
    seen = ": cAdvisor sees their containers and nothing of what they do" if outside else ""
    return Evidence(
        f"No job of {config} scrapes {names}, no exporter or probe watches {'it' if not rest else 'them'}, "
        f"though other services of {project.location.file} {others} watched{seen}.",
        first.location,
        subject=f"{project.name}/unmonitored",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} has no target either", member=True) for item in rest),
        recommendation=f"Add targets, exporters or probes for {names} to {config}.",
        severity=Severity.LOW if outside else None,
        example=monitoring_lines.for_service(inventory, config, first),
    )
