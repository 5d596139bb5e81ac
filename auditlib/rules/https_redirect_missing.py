"""A site that speaks TLS answers without it as well.

Whoever types its name comes to port 80 first, and stays there: passwords and cookies cross the network in clear, though
a certificate is at hand. Only a redirect brings callers to the encrypted site.

Anti-pattern:

    server {
      listen 80;
      listen 443 ssl;
      location / { proxy_pass http://api:8000; }
    }

Better:

    server {
      listen 80;
      return 301 https://$host$request_uri;
    }
    server {
      listen 443 ssl;
      location / { proxy_pass http://api:8000; }
    }

Recommendation:

    Let port 80 answer the challenges of ACME and a redirect to HTTPS, and nothing else.

References:

- https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return
- https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/#http-redirections-entrypoint
- https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, nginx_sites, published_ports, traefik, traefik_settings
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(r"acme-challenge|health|status|ping|metrics|stub_status|favicon|robots")
"""Locations that may answer in clear."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "_local"})
_REDIRECTS = frozenset({"return", "rewrite"})
_REDIRECT_KINDS = frozenset({"redirectscheme", "redirectregex"})
_REDIRECT_NAME = regex(r"redirect|https|@file", re.I)
"""Names of middlewares that may redirect, or that a file elsewhere declares."""
_PLAIN, _ENCRYPTED = frozenset({"web", "http"}), frozenset({"websecure", "https", "web-secure"})
"""Entry points as Traefik's own examples call them."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx with a server of TLS that serves the same names in clear at a published port; routers of Traefik."""
    for config in inventory.reverse_proxies:
        if config.tree and "443" in config.listens and not _code_redirects(inventory):
            yield from _of_nginx(inventory, config)
    for settings in traefik_settings.servers(inventory):
        yield from _of_traefik(inventory, settings)
    if not traefik_settings.servers(inventory):
        for project in inventory.deployed_projects:
            yield from _of_another_traefik(list(inventory.services_of(project.name).values()), project.name)


def _code_redirects(inventory: Inventory) -> bool:
    """Whether the settings of the application send callers to HTTPS."""
    fixed = {name for item in inventory.django_settings for name, _ in item.fixed}
    return "SECURE_SSL_REDIRECT" in fixed or any(item.name == "SECURE_SSL_REDIRECT" for item in inventory.settings)


def _of_nginx(inventory: Inventory, config: ReverseProxy) -> Iterator[Evidence]:
    runner = next(filter(_is_plainly_open, nginx_sites.runners(inventory, config)), None)
    found = nginx_sites.servers(inventory, config) if runner else []
    encrypted = [server for server in found if nginx_sites.speaks_tls(server)]
    for server in found if encrypted else ():
        if _listens_in_clear(server) and not _redirects(server) and _same_names(server, encrypted):
            place = _served(server)
            if runner and place:
                yield _evidence(config, runner, server, place)
                return


def _is_plainly_open(service: Service) -> bool:
    public = {port.target for port in published_ports.public_ports(service)}
    return {"80", "443"} <= public and not environments.only_for_development(service)


def _listens_in_clear(server: Chain) -> bool:
    listens = [item.words for item in nginx_sites.own(server, "listen")]
    plain = [words for words in listens if "ssl" not in words and words[1].rpartition(":")[2] == "80"]
    return (not listens or bool(plain)) and not _LOCAL.intersection(nginx_sites.names(server))


def _redirects(server: Chain) -> bool:
    """Whether the server, or a condition in it, sends callers elsewhere, or a file that it includes may."""
    inner = [block for block in server[0].blocks if block.words[:1] == ("if",)]
    said = [*nginx_sites.own(server, *_REDIRECTS), *(item for block in inner for item in block.directives)]
    sends = any(item.words[0] in _REDIRECTS for item in said)
    return sends or nginx_sites.includes_more(server[:1]) or any("497" in item.words for item in server[0].directives)


def _same_names(server: Chain, encrypted: list[Chain]) -> bool:
    mine = set(nginx_sites.names(server)) - {"_"}
    others = {name for each in encrypted for name in nginx_sites.names(each)} - {"_"}
    return not mine or not others or bool(mine & others)


def _served(server: Chain) -> Location | None:
    """Where the server passes requests on, or serves files, that belong to the site itself."""
    for chain in nginx_sites.locations(server):
        path = nginx_sites.path(chain)
        answers = nginx_sites.own(chain, *nginx_sites.PASSES, "root", "alias", "try_files")
        if answers and not _ASIDE.search(path) and not nginx_sites.own(chain, *_REDIRECTS):
            return answers[0].location
    return None


def _evidence(config: ReverseProxy, runner: Service, server: Chain, place: Location) -> Evidence:
    listens = next(iter(nginx_sites.own(server, "listen")), None)
    return Evidence(
        f"{config.file} serves the site in clear on port 80 beside 443, and nothing there sends callers to HTTPS: "
        "unless the application does, passwords and cookies cross the network in clear.",
        listens.location if listens else server[0].location,
        subject=f"{config.file}/redirect",
        service=runner.name,
        related=(
            Related(place, "what it answers there"),
            *(Related(port.location, "port 80 is published") for port in runner.ports if port.target == "80"),
        ),
        recommendation=f"Let the server on port 80 of {config.file} answer `return 301 https://$host$request_uri;`.",
        example=files.into(config.file, "server {\n  listen 80;\n  return 301 https://$host$request_uri;\n}"),
    )


def _of_traefik(inventory: Inventory, settings: traefik_settings.Settings) -> Iterator[Evidence]:
    """The routers that answer at the entry point of port 80 alone, where nothing of this Traefik redirects."""
    points = settings.entry_points
    plain = {name for name, port in points.items() if port == "80"}
    encrypted = {name for name, port in points.items() if port == "443"}
    if (
        not settings.reads_labels
        or not plain
        or not encrypted
        or not _is_plainly_open(settings.service)
        or settings.redirects
    ):
        return
    mine = [item for item in inventory.services if inventory.base_of(item.project) == settings.project]
    declared = traefik.middlewares_of(mine)
    if any(kind in _REDIRECT_KINDS for kinds in declared.values() for kind, _ in kinds):
        return
    routes = [
        route for service in mine for route in traefik.routes_of(service, enabled=traefik.takes_all(settings.service))
    ]
    clear = [item for item in routes if not item.encrypted and _points(item) & plain and not _is_local(item)]
    if clear:
        yield _traefik_evidence(settings, clear, min(plain), min(encrypted))
    elif routes and all(route.encrypted for route in routes):
        yield _refused(settings, routes, min(plain), min(encrypted))


def _of_another_traefik(mine: list[Service], project: str) -> Iterator[Evidence]:
    """Routers that speak TLS at the entry points of both ports, for a Traefik that the repository doesn't hold."""
    asking = [item for item in mine if not environments.only_for_development(item)]
    routes = [route for service in asking for route in traefik.routes_of(service)]
    both = [item for item in routes if item.encrypted and _points(item) & _PLAIN and _points(item) & _ENCRYPTED]
    declared = traefik.middlewares_of(mine)
    sends = any(kind in _REDIRECT_KINDS for kinds in declared.values() for kind, _ in kinds)
    named = any(_REDIRECT_NAME.search(name) for route in routes for name in route.middlewares)
    clear = any(not item.encrypted for item in routes)
    if both and not (sends or named or clear):
        yield _both_evidence(project, both)


def _both_evidence(project: str, both: list[traefik.Route]) -> Evidence:
    first, *others = both
    plain, encrypted = min(_points(first) & _PLAIN), min(_points(first) & _ENCRYPTED)
    names = listed(item.router for item in both)
    return Evidence(
        f"{names} {'asks' if not others else 'ask'} for the entry points {plain} and {encrypted} and for `tls`, so "
        f"that {'it answers' if not others else 'they answer'} by HTTPS alone: unless Traefik itself redirects "
        f"{plain}, whoever types the name without it gets 404.",
        first.location,
        subject=f"{project}/redirect",
        service=first.service.name,
        related=tuple(Related(item.location, f"{item.router} too", member=True) for item in others),
        severity=Severity.LOW,
        recommendation=f"Give {first.router} {encrypted} alone, and redirect {plain} where Traefik is set up.",
        example=files.into(
            first.location.file,
            f"traefik.http.routers.{first.router}.entrypoints={encrypted}\n"
            f"# and where Traefik is set up:\n--entrypoints.{plain}.http.redirections.entrypoint.to={encrypted}",
        ),
    )


def _is_local(route: traefik.Route) -> bool:
    return bool(route.hosts) and _LOCAL.issuperset(route.hosts)


def _points(route: traefik.Route) -> set[str]:
    return {name.lower() for name in route.entry_points}


def _refused(settings: traefik_settings.Settings, routes: list[traefik.Route], plain: str, encrypted: str) -> Evidence:
    """All routers speak TLS, and port 80 is published for nobody."""
    return Evidence(
        f"Traefik publishes port 80, and nothing sends its callers to 443: {listed(route.router for route in routes)} "
        f"{'answers' if len(routes) == 1 else 'answer'} by HTTPS alone, and whoever types the name without it may "
        "get 404.",
        settings.service.location,
        subject=f"{settings.project}/redirect",
        service=settings.service.name,
        related=tuple(Related(route.location, f"{route.router} speaks TLS alone") for route in routes[:5]),
        severity=Severity.LOW,
        recommendation=f"Redirect the entry point {plain} to {encrypted}.",
        example=f"--entrypoints.{plain}.http.redirections.entrypoint.to={encrypted}",
    )


def _traefik_evidence(
    settings: traefik_settings.Settings, routes: list[traefik.Route], plain: str, encrypted: str
) -> Evidence:
    first, *others = routes
    names = listed(route.router for route in routes)
    return Evidence(
        f"Traefik answers at ports 80 and 443, and nothing sends callers of the first to the second: {names} "
        f"{'is' if not others else 'are'} served in clear, with every password and cookie.",
        first.location,
        subject=f"{settings.project}/redirect",
        service=settings.service.name,
        related=(
            Related(settings.service.location, "the entry points"),
            *(Related(route.location, f"{route.router} too", member=True) for route in others),
        ),
        recommendation=f"Redirect the entry point {plain} to {encrypted}, and give each router `tls`.",
        example=f"--entrypoints.{plain}.http.redirections.entrypoint.to={encrypted}",
    )
