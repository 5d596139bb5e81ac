"""A location of Nginx passes requests on without telling whose they are.

`proxy_set_header` lines of a server count in a location only as long as that has none of its own. Where a location
lacks `X-Forwarded-For`, the application takes Nginx for its client: limits and locks by address meet everybody at once,
and logs name nobody. Without `X-Forwarded-Proto` it believes to be asked in clear, without `Host` under the name of its
own container.

Anti-pattern:

    location /api/ {
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_pass http://api:8000;
    }
    location /api/login { proxy_pass http://api:8000; }

Better:

    server {
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      location /api/ { proxy_pass http://api:8000; }
      location /api/login { proxy_pass http://api:8000; }
    }

Recommendation:

    Set the same headers wherever requests are passed on, by a file that each location includes.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header
- https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites
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

_NAMES = {
    "host": ("Host", "$host"),
    "x-forwarded-for": ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    "x-forwarded-proto": ("X-Forwarded-Proto", "$scheme"),
}
_CLIENT = frozenset({"x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip"})
"""Headers that tell the client's address; one of them will do."""
_DOCS = r"(?:docs|redoc|swagger(?:-ui)?|api-docs|openapi\\?\.(?:json|ya?ml))"
"""The description of an interface, which is the same for everybody."""
_FOR_MACHINES = regex(
    r"/(?:[\w-]*health[\w-]*|livez?|readyz?|ping|status|nginx_status|metrics|robots\.txt|favicon\.ico|_next/\S*|static/?\S*|"
    r"assets/?\S*|media/?\S*)/?$|\\\.\(?(?:js|css|png|jpg|ico)|"
    rf"/\(?{_DOCS}(?:\|{_DOCS})*\)?/?\$?$"
)
"""Locations whose answers depend on nobody."""


class _Way(Struct, frozen=True):
    """A location that passes requests on, with the headers that it sets, in lower case."""

    path: str
    host: str
    headers: frozenset[str]
    location: Location
    for_one_origin: bool

    @property
    def told(self) -> frozenset[str]:
        """The headers of which an application learns who asks it, and how."""
        return self.headers & _NAMES.keys()


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Nginx one finding for the locations that tell a built application less than others do, or nothing."""
    found: dict[str, tuple[Service, list[_Way]]] = {}
    for config in inventory.reverse_proxies:
        runners = nginx_sites.runners(inventory, config) if config.passages else ()
        runner = next((item for item in runners if not environments.only_for_development(item)), None)
        ways = list(_ways(inventory, config, runner)) if runner else []
        if runner and ways:
            found.setdefault(runner.key, (runner, []))[1].extend(ways)
    for runner, ways in found.values():
        yield from _found(inventory, runner, ways)


def _ways(inventory: Inventory, config: ReverseProxy, runner: Service) -> Iterator[_Way]:
    """The locations that pass requests on by HTTP to what is built here; none where an included file may say more."""
    mine = inventory.services_of(runner.project)
    built = {item.name for item in mine.values() if item.build} | {
        item.container_name for item in mine.values() if item.build and item.container_name
    }
    for server in nginx_sites.servers(inventory, config):
        for chain in nginx_sites.locations(server):
            if nginx_sites.own(chain, "proxy_pass") and not nginx_sites.includes_more(chain):
                yield from _way(config, chain, built)


def _way(config: ReverseProxy, chain: Chain, built: set[str]) -> Iterator[_Way]:
    statement = nginx_sites.own(chain, "proxy_pass")[0]
    path = nginx_sites.path(chain)
    hosts = [name for name in nginx_sites.host(config, statement) if name in built]
    if hosts and not _FOR_MACHINES.search(path):
        set_here = nginx_sites.holding(chain, "proxy_set_header")
        names = frozenset(item.words[1].lower() for item in set_here if len(item.words) > 1)
        yield _Way(path, hosts[0], names, statement.location, config.for_one_origin)


def _found(inventory: Inventory, runner: Service, ways: list[_Way]) -> Iterator[Evidence]:
    """What some locations leave out that another one to the same host tells; or all, where none tells who asks."""
    full = {way.host: way for way in sorted(ways, key=lambda each: len(each.told))}
    short = [way for way in ways if full[way.host].told - way.told]
    if short:
        yield _evidence(inventory, runner, short, full[short[0].host])
    elif not any(way.headers & _CLIENT for way in ways) and not all(way.for_one_origin for way in ways):
        yield _evidence(inventory, runner, ways, None)


def _evidence(inventory: Inventory, runner: Service, short: list[_Way], full: _Way | None) -> Evidence:
    first, *others = short
    wanted = (full.told if full else frozenset(_NAMES)) - first.told
    lacking = [_NAMES[key][0] for key in _NAMES if key in wanted]
    lines = "\n  ".join(f"proxy_set_header {name} {value};" for key, (name, value) in _NAMES.items() if key in wanted)
    paths = listed((f"location {way.path}" for way in short), 3)
    hosts = listed(way.host for way in short)
    files_of = listed(way.location.file for way in short)
    beside = f", which location {full.path} sets" if full else ", and no other location tells who asks"
    client = "x-forwarded-for" in wanted and not first.headers & _CLIENT
    return Evidence(
        f"{paths} of {files_of} {'passes' if not others else 'pass'} requests to {hosts} without {listed(lacking)}"
        f"{beside}: {_follows(first.host, wanted, client=client)}.",
        first.location,
        subject=f"{first.location.file}/forwarded",
        service=runner.name,
        related=(
            *((Related(full.location, f"location {full.path} tells more"),) if full else ()),
            *(Related(way.location, f"nor does location {way.path}", member=True) for way in others),
        ),
        recommendation=f"Set {listed(lacking)} in {paths} of {first.location.file}.",
        severity=Severity.MEDIUM if "x-forwarded-for" in wanted and _counts(inventory) else None,
        example=files.into(first.location.file, f"location {first.path} {{\n  # beside its own\n  {lines}\n}}"),
    )


def _follows(host: str, wanted: frozenset[str], *, client: bool) -> str:
    if client:
        return f"{host} takes Nginx for its client"
    if "x-forwarded-for" in wanted:
        return "what reads that header takes Nginx for the client"
    return (
        f"{host} is asked under the name in `proxy_pass`"
        if "host" in wanted
        else f"{host} believes to be asked in clear"
    )


def _counts(inventory: Inventory) -> bool:
    """Whether code counts requests by the client's address."""
    kinds = [*(item.kind for item in inventory.express_files), *(item.kind for item in inventory.proxy_traits)]
    return "limit" in kinds
