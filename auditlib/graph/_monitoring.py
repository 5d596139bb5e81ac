"""Scrape jobs, alerts, receivers, data sources and dashboards as nodes and edges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditlib.conventions import monitoring
from auditlib.graph._builder import Builder
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.inventory.dashboards import Dashboard, Datasource
from auditlib.inventory.monitoring import AlertRule, LabelMatcher, ScrapeJob
from auditlib.inventory.stack import Service
from auditlib.model import Location
from auditlib.paths import upwards


def declare(builder: Builder) -> None:
    """Name everything by the file that declares it."""
    inventory = builder.inventory
    for job in inventory.scrape_jobs:
        builder.declare("scrape_job", job.file, job.name)
    for alert in _alerts(builder):
        builder.declare("alert_rule", alert.file, alert.name)
    for receiver in inventory.receivers:
        builder.declare("receiver", receiver.file, receiver.name)
    for datasource in inventory.datasources:
        builder.declare("datasource", datasource.file, datasource.name)
    for dashboard in inventory.dashboards:
        builder.declare("dashboard", dashboard.file, dashboard.title)


def add(builder: Builder) -> None:
    """Add who watches whom, and who tells whom."""
    _add_scraping(builder)
    _add_receivers(builder)
    _add_alerts(builder)
    _add_grafana(builder)
    _add_who_loads(builder)


def _alerts(builder: Builder) -> Iterator[AlertRule]:
    return (rule for rule in builder.inventory.alert_rules if rule.kind == "alert")


def _add_scraping(builder: Builder) -> None:
    for job in builder.inventory.scrape_jobs:
        hits = [(end, builder.graph.hosts.resolve(end.host, None, end.port, job.file)) for end in job.targets]
        unresolved = tuple(end.address for end, service in hits if service is None)
        node = builder.scoped(
            "scrape_job", job.file, job.name, job.location, file=job.file, unresolved=unresolved, path=job.metrics_path
        )
        for end, service in hits:
            if service is not None:
                builder.edge(node, service, "scrapes", end.location, port=end.port, path=job.metrics_path)


def _add_receivers(builder: Builder) -> None:
    for receiver in builder.inventory.receivers:
        kinds = tuple(sorted({item.kind for item in receiver.integrations}))
        node = builder.scoped(
            "receiver", receiver.file, receiver.name, receiver.location, file=receiver.file, integrations=kinds
        )
        for item in receiver.integrations:
            host, _, port = item.host.partition(":")
            service = builder.graph.hosts.resolve(host, None, port, receiver.file) if host else None
            if service is not None:
                builder.edge(node, service, "routes_to", item.location, integration=item.kind)


def _add_alerts(builder: Builder) -> None:
    nodes: dict[AlertRule, str] = {}
    for alert in _alerts(builder):
        nodes[alert] = node = builder.scoped(
            "alert_rule",
            alert.file,
            alert.name,
            alert.location,
            file=alert.file,
            severity=dict(alert.labels).get("severity", ""),
        )
        about_jobs = [matcher for matcher in alert.query.matchers if matcher.name == "job"]
        for job in _jobs_of(builder.inventory, alert) if about_jobs else ():
            asked = builder.id("scrape_job", job.file, job.name)
            if asked is not None and any(_matches(matcher, job.name) for matcher in about_jobs):
                builder.edge(node, asked, "alerts_on", alert.expression_location)
    for tree in list(_routes(builder.inventory.alert_routes)):  # each is whole when the next one begins
        for alert in monitoring.reaching(builder.inventory, tree[0].file):
            for route in _routed([tree], {"alertname": alert.name, **dict(alert.labels)}):
                receiver = builder.id("receiver", route.file, route.receiver)
                if receiver is not None:
                    builder.edge(nodes[alert], receiver, "routes_to", route.location)


def _jobs_of(inventory: Inventory, alert: AlertRule) -> tuple[ScrapeJob, ...]:
    """What the configurations scrape that load an alert; of one that none loads whatever is scraped."""
    configs = monitoring.loading(inventory, alert.file)
    return monitoring.jobs(inventory, configs) if configs else inventory.scrape_jobs


def _matches(matcher: LabelMatcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (matcher.value == value) == (matcher.operator == "=")
    try:
        found = len(matcher.value) < 200 and re.fullmatch(matcher.value, value) is not None
    except re.error:
        return False
    return found == (matcher.operator == "=~")


_Tree = tuple[Route, list["_Tree"]]


def _routes(routes: Iterable[Route]) -> Iterator[_Tree]:
    """The routing trees, one a file, from their depth-first order."""
    above: list[_Tree] = []
    for route in routes:
        tree: _Tree = (route, [])
        del above[route.depth :]
        if above and above[-1][0].file == route.file:
            above[-1][1].append(tree)
        else:
            above = []
            yield tree
        above.append(tree)


def _routed(trees: Iterable[_Tree], labels: dict[str, str]) -> Iterator[Route]:
    """The routes that an alert ends at, as Alertmanager walks its tree: the deepest that match."""
    for route, below in trees:
        if all(_matches(matcher, labels.get(matcher.name, "")) for matcher in route.matchers):
            deeper = list(_routed(_until_one_stops(below, labels), labels))
            yield from deeper or [route]


def _until_one_stops(trees: Iterable[_Tree], labels: dict[str, str]) -> Iterator[_Tree]:
    for tree in trees:
        yield tree
        route = tree[0]
        if not route.continues and all(_matches(matcher, labels.get(matcher.name, "")) for matcher in route.matchers):
            return


def _add_grafana(builder: Builder) -> None:
    inventory = builder.inventory
    for datasource in inventory.datasources:
        host, port = _host_of(datasource.url)
        service = builder.graph.hosts.resolve(host, None, port, datasource.file) if host else None
        node = builder.scoped(
            "datasource", datasource.file, datasource.name, datasource.location,
            file=datasource.file, type=datasource.type, resolved=service is not None,
        )  # fmt: skip
        if service is not None:
            builder.edge(node, service, "queries", datasource.location, port=port)
    for dashboard in inventory.dashboards:
        node = builder.scoped("dashboard", dashboard.file, dashboard.title, dashboard.location, file=dashboard.file)
        for location, asked in _asked(dashboard, inventory.datasources):
            target = builder.id("datasource", asked.file, asked.name)
            if target is not None:
                builder.edge(node, target, "queries", location)


def _host_of(url: str) -> tuple[str, str]:
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    host, _, port = authority.partition(":")
    return host, port


def _asked(dashboard: Dashboard, datasources: tuple[Datasource, ...]) -> Iterator[tuple[Location, Datasource]]:
    """The data sources of the panels, by uid or name; else the default, or the only one of the type."""
    for panel in dashboard.panels:
        wanted = panel.datasource
        exact = [item for item in datasources if wanted and wanted in (item.uid, item.name)]
        if not exact and (not wanted or wanted.startswith("$")):
            fitting = [item for item in datasources if panel.datasource_type in ("", item.type)]
            exact = [item for item in fitting if item.default] or (fitting if len(fitting) == 1 else [])
        yield from ((panel.location, item) for item in exact[:1])


def _add_who_loads(builder: Builder) -> None:
    """A service that mounts the folder of a configuration runs what stands in it; without one nothing does."""
    inventory = builder.inventory
    mounted: dict[str, list[tuple[str, Service, Location]]] = {}
    for service in inventory.services:
        node = builder.id("service", service.project, service.name)
        for mount in service.mounts:
            if node is not None and mount.kind == "bind" and not mount.outside:
                mounted.setdefault(mount.source.removeprefix("./").rstrip("/"), []).append(
                    (node, service, mount.location)
                )
    for kind in ("scrape_job", "alert_rule", "receiver", "datasource", "dashboard"):
        for item in [node for node in builder.graph.of_kind(kind) if node.location is not None]:
            for path in upwards(item.location.file if item.location else ""):
                for node, service, location in mounted.get(path, ()):
                    overlay = service.project if builder.base.get(service.project) else ""
                    builder.edge(node, item.id, "runs", location, overlay=overlay)
