"""A location of Nginx drops the security headers of its server.

Nginx takes the `add_header` lines of a server into a location only as long as that has none of its own. One line for
caching is enough, and the pages and scripts of that location go out without the headers that everybody believes to be
on every answer.

Anti-pattern:

    server {
      add_header X-Content-Type-Options nosniff always;
      location /assets/ {
        add_header Cache-Control "public, immutable";
      }
    }

Better:

    location /assets/ {
      add_header Cache-Control "public, immutable";
      add_header X-Content-Type-Options nosniff always;
    }

Recommendation:

    Repeat the headers where a location adds its own, in a file that both include.

References:

- https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header
- https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import nginx_sites, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Block, Directive, LostHeaders, ReverseProxy
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SECURITY = {
    "strict-transport-security": "Strict-Transport-Security",
    "content-security-policy": "Content-Security-Policy",
    "x-content-type-options": "X-Content-Type-Options",
    "x-frame-options": "X-Frame-Options",
    "referrer-policy": "Referrer-Policy",
    "permissions-policy": "Permissions-Policy",
    "cross-origin-opener-policy": "Cross-Origin-Opener-Policy",
}
"""The headers that protect a page, by their names in lower case (OWASP)."""
_FOR_MACHINES = regex(r"/(?:[\w-]*health[\w-]*|livez?|readyz?|ping|status|nginx_status|metrics)/?$")


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file of nginx one finding for the locations whose own headers take the place of the server's."""
    for config in inventory.reverse_proxies:
        if any(proxies.left_out(inventory, service, config) for service in inventory.services):
            continue
        found = [item for item in config.lost_headers if _lost(item)]
        if found:
            yield _evidence(config.file, found)
        yield from _of_servers(inventory, config)


def _of_servers(inventory: Inventory, config: ReverseProxy) -> Iterator[Evidence]:
    """One finding for the servers of a file whose own headers take the place of those that another file gives all."""
    found: list[tuple[Block, Directive, list[str]]] = []
    for chain in nginx_sites.servers(inventory, config):
        mine = nginx_sites.own(chain, "add_header")
        outer = next((each for block in chain[1:] if (each := nginx_sites.own((block,), "add_header"))), [])
        merges = any(item.words[0] == "add_header_inherit" for block in chain for item in block.directives)
        if mine and outer and outer[0].location.file != config.file and not merges:
            names = _names(outer)
            lost = [_SECURITY[name] for name in names if name in _SECURITY and name not in _names(mine)]
            found += [(chain[0], outer[0], lost)] if lost else []
    if found:
        yield _of_file(config.file, found)


def _names(statements: list[Directive]) -> list[str]:
    return [item.words[1].lower() for item in statements if len(item.words) > 1]


def _of_file(file: str, found: list[tuple[Block, Directive, list[str]]]) -> Evidence:
    (first, given, lost), *others = found
    lines = "\n  ".join(f'add_header {name} "<as in {given.location.file}>" always;' for name in lost)
    who = f"{len(found)} servers" if others else "The server"
    adds = "add headers of their own" if others else "adds headers of its own"
    place = next(item.location for item in first.directives if item.words[0] == "add_header")
    return Evidence(
        f"{who} of {file} {adds}, so that Nginx leaves out {listed(lost)}, which {given.location.file} gives all.",
        place,
        subject=f"{file}/servers",
        related=(
            Related(given.location, "what all servers are given"),
            *(Related(block.location, "so does this server", member=True) for block, _, _ in others),
        ),
        recommendation=f"Repeat the headers of {given.location.file} in {file} wherever a server adds its own.",
        example=files.into(file, f"server {{\n  # beside its own\n  {lines}\n}}"),
    )


def _lost(item: LostHeaders) -> list[str]:
    """The headers that a location drops; what answers machines alone needs none."""
    return [] if _FOR_MACHINES.search(item.path) else [_SECURITY[name] for name in item.names if name in _SECURITY]


def _evidence(file: str, found: list[LostHeaders]) -> Evidence:
    first, *others = found
    names = list(dict.fromkeys(name for item in found for name in _lost(item)))
    lines = "\n  ".join(f'add_header {name} "<as in the server>" always;' for name in _lost(first))
    places = listed((f"location {item.path}" for item in found), 3)
    return Evidence(
        f"{places} of {file} {'adds headers of its own' if not others else 'add headers of their own'}, so that Nginx "
        f"leaves out {listed(names)} of the server there.",
        first.location,
        subject=f"{file}/headers",
        related=(
            Related(first.given, "what the server adds"),
            *(Related(item.location, f"so does location {item.path}", member=True) for item in others),
        ),
        recommendation=f"Repeat the headers of the server in {file} wherever a location adds its own.",
        example=files.into(file, f"location {first.path} {{\n  # beside its own\n  {lines}\n}}"),
    )
