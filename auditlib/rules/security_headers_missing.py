"""A site is sent without the headers that protect its pages.

Pages that nginx serves itself have only the headers that its configuration adds. Without `X-Frame-Options`, or a policy
that says so, another site may show them in a frame and catch clicks; without `nosniff` a browser guesses what an upload
is; without HSTS it goes on trying HTTP first, where somebody on the way may answer.

Anti-pattern:

    server {
      listen 443 ssl;
      root /usr/share/nginx/html;
      location / { try_files $uri /index.html; }
    }

Better:

    server {
      listen 443 ssl;
      add_header Strict-Transport-Security "max-age=31536000" always;
      add_header X-Content-Type-Options nosniff always;
      add_header Content-Security-Policy "frame-ancestors 'self'" always;
      root /usr/share/nginx/html;
      location / { try_files $uri /index.html; }
    }

Recommendation:

    Add the headers in the server, where all locations inherit them.

References:

- https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
- https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
- https://www.rfc-editor.org/rfc/rfc6797
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, nginx_sites, published_ports, services
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PROTECTING = frozenset({
    "x-frame-options", "content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy",
})  # fmt: skip
_HSTS = "strict-transport-security"
_LINES = {
    "Strict-Transport-Security": 'add_header Strict-Transport-Security "max-age=31536000" always;',
    "X-Content-Type-Options": "add_header X-Content-Type-Options nosniff always;",
    "Content-Security-Policy": "add_header Content-Security-Policy \"frame-ancestors 'self'\" always;",
}


class _Bare(Struct, frozen=True):
    """A server without these headers."""

    config: ReverseProxy
    runner: Service
    lacking: tuple[str, ...]
    location: Location


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the servers of Nginx that lack them, where nothing else of the repository sends any."""
    configs = [item for item in inventory.reverse_proxies if item.tree]
    if not configs or len(configs) < len(inventory.reverse_proxies) or services.of_product(inventory, "Traefik"):
        return
    added = {
        item.words[1].lower()
        for config in configs
        for item in (nginx_sites.everything(config.tree) if config.tree else ())
        if item.words[0] == "add_header" and len(item.words) > 1
    }
    by_code = any(item.kind == "hsts" for item in inventory.proxy_traits)
    found = [] if added & _PROTECTING else [bare for config in configs for bare in _without(inventory, config)]
    if not by_code and _HSTS not in added:
        found += [bare for config in configs for bare in _without_hsts(inventory, config)]
    if found:
        yield _evidence(found)


def _runner(inventory: Inventory, config: ReverseProxy) -> Service | None:
    mine = nginx_sites.runners(inventory, config)
    return next((item for item in mine if not environments.only_for_development(item)), None)


def _without(inventory: Inventory, config: ReverseProxy) -> Iterator[_Bare]:
    """The servers that hand out pages themselves."""
    runner = _runner(inventory, config)
    for server in nginx_sites.servers(inventory, config) if runner else ():
        pages = [place for chain in (server, *nginx_sites.locations(server)) if (place := _pages(chain))]
        if pages and runner and not nginx_sites.includes_more(server[:1]):
            yield _Bare(config, runner, ("X-Content-Type-Options", "Content-Security-Policy"), pages[0])
            return


def _pages(chain: Chain) -> Location | None:
    """Where a block answers with the page of an application for paths that have no file."""
    tried = nginx_sites.own(chain, "try_files")
    return next((item.location for item in tried if item.words[-1].endswith("index.html")), None)


def _without_hsts(inventory: Inventory, config: ReverseProxy) -> Iterator[_Bare]:
    runner = _runner(inventory, config)
    for server in nginx_sites.servers(inventory, config) if runner and published_ports.is_exposed(runner) else ():
        serves = any(nginx_sites.own(chain, *nginx_sites.PASSES, "root") for chain in nginx_sites.locations(server))
        if runner and serves and nginx_sites.speaks_tls(server) and not nginx_sites.includes_more(server[:1]):
            listens = nginx_sites.own(server, "listen")
            yield _Bare(config, runner, ("Strict-Transport-Security",), (listens[0] if listens else server[0]).location)
            return


def _evidence(found: list[_Bare]) -> Evidence:
    first, *others = found
    lacking = list(dict.fromkeys(name for item in found for name in item.lacking))
    names = listed(dict.fromkeys(item.config.file for item in found))
    lines = "\n  ".join(_LINES[name] for name in first.lacking)
    return Evidence(
        f"{names} {'adds' if ' and ' not in names else 'add'} no header that protects pages, nor does anything before "
        f"Nginx in the repository: {listed(lacking)} {'is' if len(lacking) == 1 else 'are'} missing.",
        first.location,
        subject=f"{first.config.file}/security-headers",
        service=first.runner.name,
        related=tuple(Related(item.location, f"without {listed(item.lacking)}", member=True) for item in others),
        recommendation=f"Add {listed(lacking)} in the servers of {names}.",
        example=files.into(first.config.file, f"server {{\n  {lines}\n}}"),
    )
