"""A reverse proxy leads from outside to an administration console.

A console for a database or a broker shows and changes everything that is in there. One that a proxy leads to has a name
in the public DNS and in the logs of certificates, so it is found within hours. Some ask nobody who he is; Adminer and
phpMyAdmin ask for a login of the database itself, which can be guessed there as often as one likes.

Anti-pattern:

    adminer:
      image: adminer:5
      labels:
        - traefik.enable=true
        - traefik.http.routers.adminer.rule=Host(`adminer.example.com`)

Better:

    adminer:
      image: adminer:5
      labels:
        - traefik.enable=true
        - traefik.http.routers.adminer.rule=Host(`adminer.example.com`)
        - traefik.http.routers.adminer.middlewares=office
        - traefik.http.middlewares.office.ipallowlist.sourcerange=${OFFICE_NETWORK:?}

Recommendation:

    Leave the console out of production and reach the database through SSH, or put a login or a list of allowed
    addresses before it.

References:

- https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview/
- https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html
- https://www.adminer.org/en/password/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import consoles, environments, routing, stacks
from auditlib.conventions.routing import Way
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_DASHBOARD = "api@internal"
_OPEN, _OF_DATABASE = "asks for no login", "has no login but the database's own"
_LOGIN = {
    "nginx": 'auth_basic "Administration";\nauth_basic_user_file /etc/nginx/console.htpasswd;',
    "caddy": "basic_auth {\n\t<user> <what caddy hash-password prints>\n}",
    "haproxy": "http-request auth unless { http_auth(<userlist>) }",
    "traefik": "middlewares:\n  console-login:\n    basicAuth:\n      usersFile: /etc/traefik/console.htpasswd",
}
"""What each proxy takes for a login."""


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for the consoles that ask nobody, and one for those with a login of the database."""
    found: defaultdict[tuple[str, str], list[Way]] = defaultdict(list)
    for way in routing.ways(inventory):
        if not (way.guarded or way.is_local) and (fault := _fault(inventory, way)):
            found[inventory.base_of(way.service.project), fault].append(way)
    for (project, fault), ways in found.items():
        ways.sort(key=lambda way: not (way.route and way.route.encrypted))
        yield _evidence(inventory, project, fault, ways)


def _fault(inventory: Inventory, way: Way) -> str:
    """How little a console asks; nothing for what is none, or has a login of its own."""
    if (way.route and way.route.target == _DASHBOARD) or consoles.is_open(inventory, way.service):
        return _OPEN
    return _OF_DATABASE if consoles.has_database_login(way.service) else ""


def _evidence(inventory: Inventory, project: str, fault: str, ways: list[Way]) -> Evidence:
    first, *others = ways
    names = list(dict.fromkeys(_name(way) for way in ways))
    kind = "open" if fault == _OPEN else "database login"
    own = Related(first.proxy.location, f"{first.proxy.name} is published and leads there")
    return Evidence(
        f"{first.proxy.name} leads from outside to {listed(names)}, which "
        f"{fault if len(names) == 1 else _plural(fault)}.",
        first.location,
        subject=f"{project}/routed-console/{kind}",
        service=first.service.name,
        related=(*(Related(way.location, f"leads to {way.service.name} too", member=True) for way in others), own),
        recommendation=f"Leave {first.service.name} out of what is deployed and reach it through SSH, or put a login "
        "or a list of allowed addresses before it.",
        severity=_severity(fault, ways),
        example=_login(first, swarm=stacks.in_swarm(inventory, first.service)),
    )


def _plural(fault: str) -> str:
    return fault.replace("asks", "ask").replace("has", "have")


def _name(way: Way) -> str:
    name = "Traefik's dashboard" if way.route and way.route.target == _DASHBOARD else way.service.name
    return f"{name} ({', '.join(way.hosts)})" if way.hosts else name


def _severity(fault: str, ways: list[Way]) -> Severity | None:
    if all(environments.is_for_development(way.location.file) for way in ways):
        return Severity.LOW
    return Severity.MEDIUM if fault == _OF_DATABASE else None


def _login(way: Way, *, swarm: bool) -> str:
    if way.config is not None:
        return _LOGIN[way.config.kind]
    router = way.route.router if way.route else way.service.name
    return compose_lines.of_service(way.service, compose_lines.login_before(router, "CONSOLE_USERS", swarm=swarm))
