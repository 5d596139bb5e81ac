"""Which services Prometheus watches: whose metrics it collects, and whose its alerts and dashboards ask for.

An exporter tells about itself and about its data store, a probe about what it asks. Of a container that cAdvisor sees,
only the outside is known: processor, memory and network.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

from msgspec import Struct

from auditlib import scraping
from auditlib.conventions import exporters, monitoring, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule, LabelMatcher, PrometheusConfig, Query
from auditlib.inventory.stack import Service
from auditlib.scraping import MetricSource

_CONTAINERS = "cAdvisor"
_CONTAINER_NAMES = frozenset({"name", "container_name", "container_label_com_docker_compose_service"})


class Reach(Struct, frozen=True):
    """The keys of the services that are reached: themselves, or their containers only."""

    services: frozenset[str]
    containers: frozenset[str]


class Watch(Struct, frozen=True):
    """Who is watched. Not `running` if no service of the repository runs a Prometheus: then all of it is a plan."""

    metrics: Reach
    alerts: Reach
    dashboards: Reach
    running: bool


class _Seen(Struct, frozen=True):
    """A source with the services that are scraped as such, and those that it tells about besides."""

    source: MetricSource
    own: frozenset[str]
    told: frozenset[str]


def of(inventory: Inventory, graph: DependencyGraph) -> Watch:
    """What is watched by the configurations that services mount; by all of them if none is mounted."""
    configs = monitoring.prometheus_in_use(inventory)
    seen = _speaking(inventory, graph, configs)
    panels = (panel for board in inventory.dashboards for panel in board.panels)
    return Watch(
        Reach(
            frozenset().union(*(item.own | item.told for item in seen)),
            frozenset(service.key for service in _contained(inventory, seen)),
        ),
        _reach(inventory, seen, (rule.query for rule in _alerts(inventory, configs))),
        _reach(inventory, seen, (query for panel in panels for query in panel.queries)),
        is_run(inventory, configs),
    )


def alerted(inventory: Inventory, graph: DependencyGraph, heard: Container[AlertRule]) -> Reach:
    """Whom those of the loaded alerts ask for that somebody hears of."""
    configs = monitoring.prometheus_in_use(inventory)
    queries = (rule.query for rule in _alerts(inventory, configs) if rule in heard)
    return _reach(inventory, _speaking(inventory, graph, configs), queries)


def _speaking(inventory: Inventory, graph: DependencyGraph, configs: tuple[PrometheusConfig, ...]) -> list[_Seen]:
    """The sources that give metrics."""
    sources = scraping.sources(inventory, graph, monitoring.jobs(inventory, configs))
    return [_seen(inventory, graph, source) for source in sources if not source.silent]


def is_run(inventory: Inventory, configs: Iterable[PrometheusConfig]) -> bool:
    """Whether a service runs Prometheus, or mounts one of the configurations."""
    products = (services.product(inventory, service) for service in inventory.services)
    return any(monitoring.runners(inventory, config.file) for config in configs) or any(
        product is not None and product.kind == "metrics" for product in products
    )


def _seen(inventory: Inventory, graph: DependencyGraph, source: MetricSource) -> _Seen:
    own = {source.service.key} if source.service else set()
    if scraping.is_own(source.target):
        own = {service.key for service in monitoring.runners(inventory, source.job.file)}
    return _Seen(source, frozenset(own), frozenset(_told(inventory, graph, source)))


def _told(inventory: Inventory, graph: DependencyGraph, source: MetricSource) -> Iterator[str]:
    """What a probe asks, and the data stores that an exporter holds an address of."""
    if source.job.proxy:
        yield from scraping.watched(inventory, graph, (source.job,))
    if source.service and source.exporter:
        for peer in scraping.peers(inventory, graph, source.service):
            product = services.product(inventory, peer)
            if product and product.name in source.exporter.watches:
                yield peer.key


def _contained(inventory: Inventory, seen: Iterable[_Seen]) -> Iterator[Service]:
    """The services whose containers a scraped cAdvisor sees: those of its own project."""
    found = [item.source for item in seen if item.source.exporter and item.source.exporter.name == _CONTAINERS]
    projects = {source.service.project for source in found if source.service}
    yield from (service for service in inventory.distinct_services if service.project in projects)


def _alerts(inventory: Inventory, configs: tuple[PrometheusConfig, ...]) -> Iterator[AlertRule]:
    """The alerts that are loaded."""
    loaded = {
        file for file in {item.file for item in inventory.alert_rules}
        if any(config in configs for config in monitoring.loading(inventory, file))
    }  # fmt: skip
    yield from (rule for rule in monitoring.alerts(inventory) if rule.file in loaded)


def _reach(inventory: Inventory, seen: list[_Seen], queries: Iterable[Query]) -> Reach:
    recorded = {rule.name: rule.query for rule in inventory.alert_rules if rule.kind == "record"}
    contained = list(_contained(inventory, seen))
    found: set[str] = set()
    containers: set[str] = set()
    for query in queries:
        for asked in (query, *(recorded[metric] for metric in query.metrics if metric in recorded)):
            found.update(*(_answering(item, asked) for item in seen))
            containers.update(service.key for service in contained if _asks_for_container(asked, service))
    return Reach(frozenset(found), frozenset(containers))


def _answering(seen: _Seen, query: Query) -> frozenset[str]:
    """The services that a query gets an answer about from a source."""
    if not _selects(query, seen.source):
        return frozenset()
    named = any(matcher.name == "job" for matcher in query.matchers)
    if any(_may_give(seen.source, metric, named) for metric in query.metrics):
        return seen.own | seen.told
    return seen.own if "up" in query.metrics else frozenset()


def _may_give(source: MetricSource, metric: str, named: bool) -> bool:
    """Whether a metric comes from a source. One that anything may give does if the query names the source's job."""
    exporter = exporters.of_metric(metric)
    return (named and metric != "up") if exporter is None else source.gives(exporter)


def _selects(query: Query, source: MetricSource) -> bool:
    """Whether the selectors for jobs and addresses, those without variables, take the series of a source."""
    labels = {"job": [source.job.name, *(value for name, value in source.job.labels if name == "job")]}
    if not source.job.relabels:
        labels["instance"] = [f"{source.target.bracketed}:{source.target.port or '80'}"]
    for label, values in labels.items():
        wanted = [item for item in query.matchers if item.name == label and not re.search(r"[${]", item.value)]
        if wanted and not any(monitoring.takes(matcher, value) for matcher in wanted for value in values):
            return False
    return True


def _asks_for_container(query: Query, service: Service) -> bool:
    givers = (exporters.of_metric(metric) for metric in query.metrics)
    if not any(giver is not None and giver.name == _CONTAINERS for giver in givers):
        return False
    return all(_names(matcher, service) for matcher in query.matchers if matcher.name in _CONTAINER_NAMES)


def _names(matcher: LabelMatcher, service: Service) -> bool:
    """Whether a matcher takes a container's name; without one of its own Compose calls it `project-service-1`."""
    if service.container_name or matcher.operator != "=":
        return monitoring.takes(matcher, service.container_name or service.name)
    return re.fullmatch(rf"(?:.+[-_])?{re.escape(service.name)}(?:[-_]\d+)?", matcher.value) is not None
