"""Nginx doesn't let the WebSockets of the application behind it through.

A WebSocket begins with a request to change the protocol, which Nginx drops unless the location passes `Upgrade` and
`Connection` on: the handshake fails, and pages fall back to asking again and again, or show nothing new.

Anti-pattern:

    # api: @app.websocket("/ws")
    location / { proxy_pass http://api:8000; }

Better:

    location /ws {
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 1h;
      proxy_pass http://api:8000;
    }

Recommendation:

    Pass `Upgrade` and `Connection` on by HTTP 1.1 in the location of the socket.

References:

- https://nginx.org/en/docs/http/websocket.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import nginx_locations, nginx_sites, published_ports
from auditlib.conventions.proxied import unmet
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ProxyTrait, ReverseProxy
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LINES = (
    "location {} {{\n  proxy_http_version 1.1;\n  proxy_set_header Upgrade $http_upgrade;\n"
    '  proxy_set_header Connection "upgrade";\n  proxy_pass http://{};\n}}'
)


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each built service with sockets to which an Nginx passes requests, and none of its locations an upgrade."""
    for item in unmet(inventory, "socket", _may_upgrade):
        passing = (found.location for chain in item.chains for found in nginx_sites.own(chain, "proxy_pass"))
        place = _taking(item.config, item.trait, item.service.name) or next(passing)
        yield _evidence(item.config, item.runner, item.service, item.trait, place)


def _may_upgrade(chain: nginx_sites.Chain) -> bool:
    """Whether a location passes the change of the protocol on, or includes a file that may."""
    names = [item.words[1].lower() for item in nginx_sites.holding(chain, "proxy_set_header") if len(item.words) > 1]
    return "upgrade" in names or nginx_sites.includes_more(chain)


def _taking(config: ReverseProxy, trait: ProxyTrait, service: str) -> Location | None:
    """Where the location passes on that takes the route of the socket, as far as it is told."""
    found = nginx_locations.taking(config, trait.path) if trait.path.startswith("/") else []
    return next((item.location for item in found if service in nginx_locations.hosts(config, item)), None)


def _evidence(config: ReverseProxy, runner: Service, service: Service, trait: ProxyTrait, place: Location) -> Evidence:
    what = f"WebSockets{f' at {trait.path}' if trait.path else ''}"
    direct = published_ports.public_ports(service)
    unless = "unless they are opened at its own port" if direct else "the handshake fails"
    path = trait.path if trait.path.startswith("/") and "{" not in trait.path else "<the path of the socket>"
    port = next((item.port for item in config.upstreams if item.host == service.name and item.port), "")
    return Evidence(
        f"{service.name} takes {what}, and no location of {config.file} that leads there passes `Upgrade` on: "
        f"{unless if not direct else f'the handshake fails, {unless}'}.",
        place,
        subject=f"{config.file}/{service.name}/upgrade",
        service=runner.name,
        related=(Related(trait.location, f"{service.name} takes a WebSocket"),),
        severity=Severity.LOW if direct else None,
        recommendation=f"Pass `Upgrade` and `Connection` on in {config.file} where the socket is asked for.",
        example=files.into(config.file, _LINES.format(path, f"{service.name}:{port}" if port else service.name)),
    )
