"""The proxy gives up before the application does.

Nginx waits sixty seconds for an answer, unless `proxy_read_timeout` says otherwise. Where the application's own limit
is longer, a slow request ends with 504 for its caller, while a worker goes on with it for nobody, and the caller tries
again.

Anti-pattern:

    # Dockerfile: CMD ["gunicorn", "--timeout", "300", "shop.wsgi"]
    location / { proxy_pass http://web:8000; }

Better:

    location / {
      proxy_read_timeout 310s;
      proxy_pass http://web:8000;
    }

Recommendation:

    Let the proxy wait a little longer than the application, or shorten the application's limit.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout
- https://docs.gunicorn.org/en/stable/settings.html#timeout
- https://www.php.net/manual/en/info.configuration.php#ini.max-execution-time
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites, proxied, starting
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Directive, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SPAN = regex(r"(\d{1,6})(ms|s|m|h|)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "ms": 0.001}
_USUAL = 60
_OPTIONS = {"gunicorn": ("--timeout", "-t"), "uwsgi": ("--harakiri",), "puma": ("--worker-timeout",)}
_WAITS = {
    "proxy_pass": "proxy_read_timeout",
    "fastcgi_pass": "fastcgi_read_timeout",
    "uwsgi_pass": "uwsgi_read_timeout",
}
_VARIABLE = regex(r"(?:^|\s)(?:--timeout|-t)[= ](\d{1,5})(?:\s|$)")


class _Limit(Struct, frozen=True):
    """How many seconds an application gives a request, and where that stands."""

    seconds: int
    location: Location
    said: str


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each service that gives its requests longer than every location of an Nginx waits that leads there."""
    for config in inventory.reverse_proxies:
        for runner in nginx_sites.runners(inventory, config) if config.tree and config.upstreams else ():
            if not environments.only_for_development(runner):
                yield from _of_runner(inventory, config, runner)
                break


def _of_runner(inventory: Inventory, config: ReverseProxy, runner: Service) -> Iterator[Evidence]:
    for name, ways in _ways(inventory, config, runner).items():
        service = inventory.services_of(runner.project)[name]
        longest = max(ways, key=lambda way: _seconds(way[0], way[1]))
        waits = _seconds(*longest)
        limit = _limit(inventory, service)
        open_ended = any(nginx_sites.includes_more(chain) for chain, _ in ways)
        if limit and limit.seconds > waits and not open_ended:
            yield _evidence(config, runner, service, limit, longest, int(waits))


def _ways(inventory: Inventory, config: ReverseProxy, runner: Service) -> dict[str, list[tuple[Chain, Directive]]]:
    """By service the locations that lead to it, each with the statement that passes requests on."""
    mine = inventory.services_of(runner.project)
    names = {item.container_name: item.name for item in mine.values() if item.container_name} | {n: n for n in mine}
    found: dict[str, list[tuple[Chain, Directive]]] = {}
    for server in nginx_sites.servers(inventory, config):
        for chain in nginx_sites.locations(server):
            for statement in nginx_sites.own(chain, *_WAITS)[:1]:
                for host in nginx_sites.host(config, statement):
                    if host in names and names[host] != runner.name:
                        found.setdefault(names[host], []).append((chain, statement))
    return found


def _seconds(chain: Chain, statement: Directive) -> float:
    match = _SPAN.fullmatch(nginx_sites.value(chain, _WAITS[statement.words[0]]))
    return int(match[1]) * _SECONDS[match[2]] if match else _USUAL


def _limit(inventory: Inventory, service: Service) -> _Limit | None:
    """The limit that the service's command, its variables or its php.ini give."""
    for start in starting.of(inventory, service):
        parts = [part for word in start.words for part in word.replace("=", " ").split()]
        for program, options in _OPTIONS.items():
            if any(part.rpartition("/")[2] == program for part in parts):
                for option, value in itertools.pairwise(parts):
                    if option in options and value.isdigit():
                        return _Limit(int(value), start.location, f"{program} {option} {value}")
    for entry in service.environment:
        match = _VARIABLE.search(entry.value.text) if entry.name == "GUNICORN_CMD_ARGS" and entry.value else None
        if match:
            return _Limit(int(match[1]), entry.location, f"gunicorn --timeout {match[1]}")
    return _of_php(inventory, service)


def _of_php(inventory: Inventory, service: Service) -> _Limit | None:
    for item in inventory.php_limits:
        if item.name == "max_execution_time" and proxied.runs_with(inventory, service, item.location.file):
            return _Limit(item.amount, item.location, f"max_execution_time of {item.amount}")
    return None


def _evidence(
    config: ReverseProxy, runner: Service, service: Service, limit: _Limit, way: tuple[Chain, Directive], waits: int
) -> Evidence:
    chain, statement = way
    name = _WAITS[statement.words[0]]
    said = nginx_sites.holding(chain, name)
    told = f"waits {waits} seconds" if said else f"says nothing of it, so that Nginx waits {waits}"
    line = f"{name} {limit.seconds + 10}s;"
    return Evidence(
        f"{service.name} gives a request {limit.seconds} seconds ({limit.said}), and {config.file} before it {told}: "
        "slower requests end with 504, while the application goes on with them.",
        said[-1].location if said else statement.location,
        subject=f"{config.file}/{service.name}/timeout",
        service=runner.name,
        related=(Related(limit.location, f"{service.name} gives them {limit.seconds} seconds"),),
        recommendation=f"Set `{line}` in {config.file}, or shorten the limit of {service.name}.",
        change=(" ".join(said[-1].words), line.rstrip(";"))
        if said and said[-1].location.file == config.file
        else ("", ""),
        example=files.into(config.file, line),
    )
