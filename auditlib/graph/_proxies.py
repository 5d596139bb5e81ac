"""Reverse proxies as edges: who passes requests on to whom, by a proxy's files or by the labels that Traefik reads."""

from __future__ import annotations

from auditlib.conventions import proxies, services, traefik, traefik_settings
from auditlib.graph._builder import Builder
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Location


def add(builder: Builder) -> None:
    """Add an edge from each proxy to each service that it passes requests to; `ports` are its own, where known."""
    for proxy in builder.inventory.reverse_proxies:
        for runner in proxies.runners(builder.inventory, proxy):
            _add_upstreams(builder, proxy, runner)
    known = services.of_product(builder.inventory, "Traefik")
    servers = tuple(item for item in known if traefik_settings.reads_labels(builder.inventory, item))
    for service in builder.inventory.services if servers else ():
        for server in _reading(builder, servers, service) if service.labels else ():
            place = traefik.asked_at(service, enabled=traefik.takes_all(server))
            if place is not None:
                _add(builder, server, _node(builder, service), place, ())


def _add_upstreams(builder: Builder, proxy: ReverseProxy, runner: Service) -> None:
    for item in proxy.upstreams:
        target = builder.graph.hosts.resolve(item.host, runner.project, item.port) if item.host else None
        only = proxy.listens if len(proxy.listens) == 1 else ()
        _add(builder, runner, target, item.location, item.listens or only)


def _add(builder: Builder, proxy: Service, target: str | None, location: Location, ports: tuple[str, ...]) -> None:
    source = _node(builder, proxy)
    if source and target and source != target:
        overlay = proxy.project if builder.base.get(proxy.project) else ""
        builder.edge(source, target, "forwards_to", location, ports=ports, overlay=overlay)


def _node(builder: Builder, service: Service) -> str | None:
    return builder.id("service", service.project, service.name)


def _reading(builder: Builder, servers: tuple[Service, ...], labelled: Service) -> list[Service]:
    """The Traefik that reads a service's labels: that of its project, or the only one of the repository."""
    base_of = builder.inventory.base_of
    mine = [item for item in servers if base_of(item.project) == base_of(labelled.project)]
    return mine or list(servers[:1] if len(servers) == 1 else ())
