"""A monitoring program without a login is published to the network.

Prometheus, Alertmanager and the exporters have no login by default. Whoever reaches the port reads host names, versions
and traffic, silences alerts, or pushes false metrics; Docker's published ports pass by the host's firewall.

Anti-pattern:

    prometheus:
      image: prom/prometheus:v2.54.1
      ports: ["9090:9090"]

Better:

    prometheus:
      image: prom/prometheus:v2.54.1
      ports: ["127.0.0.1:9090:9090"]      # or behind a proxy with a login

Recommendation:

    Publish the port on 127.0.0.1, or put a reverse proxy with a login before it.

References:

- https://prometheus.io/docs/operating/security/
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
- https://grafana.com/docs/grafana/latest/setup-grafana/configure-security/configure-authentication/anonymous-auth/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator

from auditlib import scraping
from auditlib.conventions import (
    environments,
    host_access,
    networks,
    published_ports,
    routing,
    services,
    traefik,
    traefik_settings,
)
from auditlib.conventions.routing import Way
from auditlib.conventions.traefik import Route
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Upstream
from auditlib.inventory.stack import Label, Port, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as lines
from auditlib.rules._rule import Evidence, rule

_WEB_UI = {"tracing": frozenset({"16686", "9411"}), "logs": frozenset({"3100"})}
"""Of these kinds only the ports at which what was collected can be read; others take in what applications send."""
_OPEN_KINDS = frozenset({"metrics", "alerting", "exporter"})
_OPEN_TRAEFIK = regex(r"--api\.insecure(?:=true)?(?:\s|$)", re.I)
"""Traefik's own pages and interface at port 8080, which ask nobody who they are."""
_RULE = regex(r"traefik\.http\.routers\.[^.]+\.rule", re.I)
_LOGINS = {
    "nginx": 'auth_basic "Monitoring";\nauth_basic_user_file /etc/nginx/monitoring.htpasswd;',
    "caddy": "basic_auth {\n\t<user> <what caddy hash-password prints>\n}",
    "haproxy": "http-request auth unless { http_auth(<userlist>) }",
}
"""What a proxy takes for a login."""
_BY_PORT = {"9090": "prometheus", "9093": "alertmanager"}
_GUARDED = """\
http:
  routers:
    {}:
      middlewares: [monitoring-login]   # and those that stand there now
  middlewares:
    monitoring-login:
      basicAuth: {{usersFile: /run/secrets/monitoring_users}}"""
_BY_OPTIONS = frozenset({"Prometheus", "Alertmanager"})
"""Programs that take no setting from a variable: https://prometheus.io/docs/prometheus/latest/configuration/https/."""
_LOGIN = regex(r"web\.config\.file|auth|BASIC|httpAuth", re.I)


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project with all programs of the monitoring that others reach without a login."""
    seen: set[Location] = set()  # an overlay shows the ports of its base again
    for project in inventory.projects:
        found = [
            (service, port)
            for service in inventory.services_of(project.name).values()
            if service.project == project.name and not networks.closed_around(inventory, service)
            for port in _open_ports(inventory, service)
            if port.location not in seen
        ]
        seen.update(port.location for _, port in found)
        if found:
            yield _evidence(_scraped(inventory, graph, project), project, found)
        yield from _routed(inventory, project)
    yield from _passed_on(inventory)
    yield from _of_files(inventory)


def _routed(inventory: Inventory, project: Project) -> Iterator[Evidence]:
    """What a Traefik, of the project or the Swarm, leads to without a middleware, which alone could ask for a login."""
    mine = [item for item in inventory.services_of(project.name).values() if item.project == project.name]
    proxies = [item for item in mine if (found := services.product(inventory, item)) and found.name == "Traefik"]
    if other := traefik_settings.of_other_stack(inventory, project):
        proxies.append(other)
    guarded = any("middlewares" in word for item in proxies for word in item.command)
    if not any(published_ports.is_exposed(item) for item in proxies) or guarded:
        return
    for service in mine:
        kind = product.kind if (product := services.product(inventory, service)) else ""
        rule_of = next((label for label in service.labels if _RULE.fullmatch(label.name)), None)
        asked = any("middlewares" in label.name for label in service.labels)
        if rule_of and kind in _OPEN_KINDS and not asked and not _LOGIN.search(" ".join(service.command)):
            yield _led_to(project, proxies[0], service, rule_of)


def _passed_on(inventory: Inventory) -> Iterator[Evidence]:
    """For each proxy of another kind what it leads to without a login, as far as its configuration tells."""
    found: defaultdict[str, dict[str, Way]] = defaultdict(dict)
    for way in routing.ways(inventory):
        product = services.product(inventory, way.service)
        open_kind = product is not None and product.kind in _OPEN_KINDS
        if way.config and open_kind and not (way.guarded or way.is_local or _asks(inventory, way.service)):
            found[way.proxy.key].setdefault(way.service.key, way)
    for ways in found.values():
        first, *others = ways.values()
        names = listed(way.service.name for way in ways.values())
        yield Evidence(
            f"{first.proxy.name} leads from outside to {names}, and asks for no login before.",
            first.location,
            subject=f"{first.proxy.key}/passed-on",
            service=first.service.name,
            related=(
                *(Related(way.location, f"leads to {way.service.name} too", member=True) for way in others),
                Related(first.proxy.location, f"{first.proxy.name} is published"),
            ),
            recommendation=f"Put a login or a list of allowed addresses before {first.service.name} in "
            f"{first.location.file}.",
            severity=Severity.LOW
            if environments.is_for_development(first.location.file)
            else Severity.HIGH
            if any(_is_changeable(way.service) for way in ways.values())
            else None,
            confidence=Confidence.MEDIUM,
            example=_LOGINS.get(first.config.kind, "") if first.config else "",
        )


def _of_files(inventory: Inventory) -> Iterator[Evidence]:
    """What the files of a published Traefik lead to on any host, by its usual port and a name that says it too."""
    for settings in traefik_settings.servers(inventory):
        if not published_ports.is_exposed(settings.service):
            continue
        declared = traefik_settings.middlewares(settings)
        files = {item.location.file for item in settings.dynamic}
        ends = [end for config in inventory.reverse_proxies if config.file in files for end in config.upstreams]
        for route in traefik_settings.routes(settings):
            own = [end for end in ends if end.group.lower() == route.target.lower()]
            names = [name for end in own if (name := _BY_PORT.get(end.port, "")) and name in f"{end.group} {end.host}"]
            if names and not (routing.is_local(route.hosts) or traefik.is_guarded(route, declared)):
                yield _led_to_by_file(route, names[0], own[0])


def _led_to_by_file(route: Route, name: str, end: Upstream) -> Evidence:
    return Evidence(
        f"{route.service.name} leads to {name} at {end.host}:{end.port} by {route.rule}, and none of its middlewares "
        "asks for a login, unless that one does itself.",
        route.location,
        subject=f"{route.service.key}/{route.router}",
        service=route.service.name,
        related=(Related(end.location, f"the address of {name}"),),
        recommendation=f"Put a `basicAuth` or `forwardAuth` middleware before the router {route.router}.",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        example=lines.into(route.location.file, _GUARDED.format(route.router)),
    )


def _asks(inventory: Inventory, service: Service) -> bool:
    """Whether options or variables of a program give it a login of its own; Prometheus' own servers read none."""
    product = services.product(inventory, service)
    reads = product is None or product.name not in _BY_OPTIONS
    names = [entry.name for entry in service.environment] if reads else []
    return bool(_LOGIN.search(" ".join((*service.command, *names))))


def _led_to(project: Project, proxy: Service, service: Service, rule_of: Label) -> Evidence:
    return Evidence(
        f"{proxy.name} leads to {service.name} by {rule_of.value}, and no middleware asks for a login.",
        rule_of.location,
        subject=f"{project.name}/{service.name}/routed",
        service=service.name,
        related=(Related(proxy.location, f"{proxy.name} is published"),),
        recommendation=f"Put a `basicauth` or `forwardauth` middleware before {service.name}.",
        severity=Severity.HIGH if _is_changeable(service) else None,
        confidence=Confidence.MEDIUM,
        example=compose_lines.of_service(
            service,
            compose_lines.login_before(rule_of.name.split(".")[3], "MONITORING_USERS", swarm=project.for_swarm),
        ),
    )


def _open_ports(inventory: Inventory, service: Service) -> list[Port]:
    kind = product.kind if (product := services.product(inventory, service)) else ""
    reachable = published_ports.public_ports(service)
    if kind == "dashboards":
        return reachable[:1] if _lets_anybody_in(service) else []
    text = " ".join((*service.command, *(entry.name for entry in service.environment)))
    if product and product.name == "Traefik" and _OPEN_TRAEFIK.search(text):
        return [port for port in reachable if port.target == "8080"]
    if _asks(inventory, service):
        return []
    if kind in _WEB_UI:
        return [port for port in reachable if port.target in _WEB_UI[kind]]
    return reachable[:1] if kind in _OPEN_KINDS else []


def _lets_anybody_in(service: Service) -> bool:
    values = {entry.name: entry.value.text.lower() for entry in service.environment if entry.value}
    return values.get("GF_AUTH_ANONYMOUS_ENABLED") == "true" or values.get("GF_AUTH_DISABLE_LOGIN_FORM") == "true"


def _is_changeable(service: Service) -> bool:
    """Whether who gets there without a login may change the program, too."""
    values = {entry.name: entry.value.text.lower() for entry in service.environment if entry.value}
    role = values.get("GF_AUTH_ANONYMOUS_ORG_ROLE") if values.get("GF_AUTH_ANONYMOUS_ENABLED") == "true" else ""
    opened = any("enable-admin-api" in word or "enable-lifecycle" in word for word in service.command)
    return opened or role in ("admin", "editor")


def _evidence(scraped: Callable[[Service], bool], project: Project, found: list[tuple[Service, Port]]) -> Evidence:
    first, port = found[0]
    more = len(found) > 1 and not any(scraped(item) for item, _ in found[1:])
    development = environments.is_for_development(port.location.file)
    changeable = [item.name for item, _ in found if _is_changeable(item)]
    return Evidence(
        f"{listed(f'{item.name} ({end.host_port or end.target})' for item, end in found)} can be reached from other "
        f"hosts without a login{f'; {listed(changeable)} can be changed or stopped that way' if changeable else ''}.",
        port.location,
        subject=f"{project.name}/exposed-monitoring",
        service=first.name,
        related=tuple(
            Related(
                end.location, f"{item.name} is published too", member=True, change=_change(end, at_risk=scraped(item))
            )
            for item, end in found[1:]
        ),
        recommendation=_advice(first, port, at_risk=scraped(first), more=more),
        severity=Severity.LOW if development else (Severity.HIGH if changeable else None),
        change=_change(port, at_risk=scraped(first)),
        example=compose_lines.of_service(first, _on_address(port)) if scraped(first) else "",
    )


def _asked_by_name(inventory: Inventory, project: Project) -> frozenset[str]:
    """The hosts that jobs name where the project runs a Prometheus, which asks its own without published ports."""
    mine = inventory.services_of(project.name).values()
    if not any((found := services.product(inventory, item)) and found.name == "Prometheus" for item in mine):
        return frozenset()
    jobs = inventory.scrape_jobs
    targets = {target.host for job in jobs for target in job.targets}
    return frozenset(targets | {job.proxy.host for job in jobs if job.proxy})


def _scraped(inventory: Inventory, graph: DependencyGraph, project: Project) -> Callable[[Service], bool]:
    """Whether a service's port may be there for a Prometheus of another host, or for one that asks the host."""
    asked = _asked_by_name(inventory, project)
    outside = scraping.asked_from_outside(inventory, graph, inventory.scrape_jobs)

    def is_scraped(service: Service) -> bool:
        known = not asked.isdisjoint((service.name, service.container_name))
        return service.key in outside or (not known and host_access.need(service, host_access.Access.PORT) is not None)

    return is_scraped


def _change(port: Port, *, at_risk: bool) -> tuple[str, str]:
    return ("", "") if at_risk else compose_lines.on_loopback(port)


def _advice(service: Service, port: Port, *, at_risk: bool, more: bool) -> str:
    if at_risk:
        return (
            f"Publish {service.name} on the one address that Prometheus scrapes: {compose_lines.local_form(port)} "
            "shuts out a Prometheus on another host."
        )
    return (
        f"Publish {service.name} as {compose_lines.local_form(port)} in {port.location.file}"
        f"{', the others likewise,' if more else ','} or put a proxy with a login before {'them' if more else 'it'}."
    )


def _on_address(port: Port) -> str:
    return f'ports:\n  - "<the address that Prometheus scrapes>:{port.host_port or port.target}:{port.target}"'
