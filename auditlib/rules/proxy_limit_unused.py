"""A proxy has a limit, a login or a cache that no request goes through.

It is defined and never named where requests pass: a zone of Nginx without `limit_req`, a middleware of Traefik that no
router has, a snippet of Caddy that no site imports. Everybody believes it to be there.

Anti-pattern:

    limit_req_zone $binary_remote_addr zone=login:10m rate=5r/m;
    server {
      location /api/login { proxy_pass http://api:8000; }
    }

Better:

    limit_req_zone $binary_remote_addr zone=login:10m rate=5r/m;
    server {
      location /api/login { limit_req zone=login burst=5; proxy_pass http://api:8000; }
    }

Recommendation:

    Name it where the requests pass that it is meant for, or remove it.

References:

- https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req
- https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import monitoring, nginx_sites, traefik_settings
from auditlib.conventions.traefik_settings import Settings
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Directive, ReverseProxy
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ZONES = {
    "limit_req_zone": ("zone=", "limit_req", "limit of requests", "limit_req zone={} burst=10 nodelay;"),
    "limit_conn_zone": ("zone=", "limit_conn", "limit of connections", "limit_conn {} 10;"),
    "proxy_cache_path": ("keys_zone=", "proxy_cache", "cache", "proxy_cache {};"),
    "fastcgi_cache_path": ("keys_zone=", "fastcgi_cache", "cache", "fastcgi_cache {};"),
}
"""By the statement that defines a zone: how its name stands there, what uses it, and what it is."""
_MIDDLEWARE = regex(r"traefik\.(?P<protocol>http|tcp)\.middlewares\.(?P<name>[^.]+)\.(?P<kind>[^.]+)", re.I)
_OF_FILE = regex(r"(?P<protocol>http|tcp)\.middlewares\.(?P<name>[^.]+)\.(?P<kind>[^.]+)")
_NAMING = regex(r"(?:^|\.)(?:middlewares|chain\.middlewares)(?:\[\d+\])?$")
_WORDS = {
    "ratelimit": "limit of requests", "inflightreq": "limit of requests", "buffering": "limit of bodies",
    "basicauth": "login", "digestauth": "login", "forwardauth": "login", "ipallowlist": "list of allowed addresses",
    "ipwhitelist": "list of allowed addresses", "redirectscheme": "redirect", "redirectregex": "redirect",
    "headers": "set of headers",
}  # fmt: skip
"""What a middleware of Traefik is for; others change paths and the like, and are seen to be missing."""
_GUARDS = frozenset({"limit of requests", "limit of connections", "login", "list of allowed addresses"})


class _Idle(Struct, frozen=True):
    """Something that is defined and not used."""

    name: str
    what: str
    location: Location
    line: str


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for what it defines, and nothing in the repository that may use it does."""
    configs = [item for item in inventory.reverse_proxies if item.tree and not _is_part(item)]
    used = _used([item for item in inventory.reverse_proxies if item.tree])
    for config in configs:
        found = list(_zones(config, used)) if nginx_sites.runners(inventory, config) else []
        if found and config.passages and not _takes_unknown(inventory, config):
            yield _evidence(config.file, found)
    for file, idle in _middlewares(inventory).items():
        yield _evidence(file, idle)


def _is_part(config: ReverseProxy) -> bool:
    return monitoring.is_template(config.file)


def _statements(config: ReverseProxy) -> Iterator[Directive]:
    if config.tree:
        yield from nginx_sites.everything(config.tree)


def _used(configs: list[ReverseProxy]) -> set[tuple[str, str]]:
    """The statements that use zones, each with the name."""
    users = {user for _, user, _, _ in _ZONES.values()}
    words = [item.words for config in configs for item in _statements(config) if item.words[0] in users]
    return {(each[0], word.removeprefix("zone=")) for each in words for word in each[1:]}


def _zones(config: ReverseProxy, used: set[tuple[str, str]]) -> Iterator[_Idle]:
    for item in _statements(config):
        prefix, user, what, line = _ZONES.get(item.words[0], ("", "", "", ""))
        for word in item.words[1:] if prefix else ():
            name = word.removeprefix(prefix).partition(":")[0]
            if word.startswith(prefix) and not any(each == (user, name) or "$" in each[1] for each in used):
                yield _Idle(name, what, item.location, line.format(name))


def _takes_unknown(inventory: Inventory, config: ReverseProxy) -> bool:
    """Whether the file takes others in that aren't known, and may use what it defines."""
    known = {item.file.rpartition("/")[2] for item in inventory.reverse_proxies}
    plain = (item.rpartition("/")[2] for item in config.includes)
    names = [name for name in plain if name not in ("mime.types", "fastcgi_params", "uwsgi_params", "fastcgi.conf")]
    return any(name not in known for name in names)


def _middlewares(inventory: Inventory) -> dict[str, list[_Idle]]:
    """By file the middlewares of Traefik that no router, chain or entry point names, where all routers are known."""
    servers = traefik_settings.servers(inventory)
    if not any(item.complete for item in servers) or any(_is_shared(inventory, item) for item in servers):
        return {}
    named = _named(inventory)
    found: dict[str, dict[str, _Idle]] = {}
    for name, kind, place in _declared(inventory):
        if kind in _WORDS and name not in named and "$" not in name:
            line = f"traefik.http.routers.<the router>.middlewares={name}"
            found.setdefault(place.file, {}).setdefault(name, _Idle(name, _WORDS[kind], place, line))
    return {file: list(idle.values()) for file, idle in found.items()}


def _is_shared(inventory: Inventory, server: Settings) -> bool:
    """Whether services of other repositories may name what is defined here: they share a network with it."""
    mine = (item for item in inventory.networks if item.project == server.service.project)
    return any(item.external or item.called for item in mine) and server.reads_labels


def _declared(inventory: Inventory) -> Iterator[tuple[str, str, Location]]:
    """Each middleware in lower case, with its kind and its first place."""
    for service in inventory.distinct_services:
        for label in service.labels:
            if match := _MIDDLEWARE.match(label.name):
                yield match["name"].lower(), match["kind"].lower(), label.location
    for item in inventory.traefik_settings:
        if match := _OF_FILE.match(item.name):
            yield match["name"], match["kind"], item.location


def _named(inventory: Inventory) -> set[str]:
    """The middlewares that something names, in lower case and without their provider."""
    values = [label.value for item in inventory.services for label in item.labels if _NAMING.search(label.name.lower())]
    settings = [each for server in traefik_settings.servers(inventory) for each in server.static]
    values += [item.value for item in (*inventory.traefik_settings, *settings) if _NAMING.search(item.name)]
    return {word.strip().lower().partition("@")[0] for value in values for word in value.split(",")}


def _evidence(file: str, found: list[_Idle]) -> Evidence:
    first, *others = found
    names = listed(f"{item.name} ({item.what})" for item in found)
    return Evidence(
        f"{file} defines {names}, and no request goes through {'it' if not others else 'them'}: nothing names "
        f"{'it' if not others else 'them'} where requests pass.",
        first.location,
        subject=f"{file}/unused",
        related=tuple(Related(item.location, f"{item.name} is used by nothing either", member=True) for item in others),
        recommendation=f"Name {listed(item.name for item in found)} where the requests pass that "
        f"{'it is' if not others else 'they are'} meant for, or remove {'it' if not others else 'them'}.",
        severity=Severity.MEDIUM if any(item.what in _GUARDS for item in found) else None,
        example=files.into(file, first.line),
    )
