"""The proxy that everybody reaches speaks HTTP alone.

Passwords, cookies and tokens cross the network in clear, and browsers call the site unsafe.

Anti-pattern:

    # nginx.conf of the only published service
    server {
      listen 80;
      location / { proxy_pass http://api:8000; }
    }

Better:

    server {
      listen 443 ssl;
      ssl_certificate     /etc/letsencrypt/live/shop.example.org/fullchain.pem;
      ssl_certificate_key /etc/letsencrypt/live/shop.example.org/privkey.pem;
      location / { proxy_pass http://api:8000; }
    }

Recommendation:

    Let the proxy listen on 443 with a certificate, and redirect port 80 to it.

References:

- https://nginx.org/en/docs/http/configuring_https_servers.html
- https://letsencrypt.org/getting-started/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TLS_PORTS = frozenset({"443", "8443"})
_ELSEWHERE = regex(
    r"certbot|letsencrypt|acme|cloudflared|ngrok|tailscale|traefik|caddy|nginx-proxy|swag|haproxy|nginxproxymanager|"
    r"stunnel|linkerd|envoy",
    re.I,
)
"""Images of programs that may speak TLS before, or beside, the proxy."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each nginx whose port 80 is published, where nothing of the repository listens on a port of TLS."""
    if _may_be_elsewhere(inventory):
        return
    for proxy in inventory.reverse_proxies:
        passes = proxy.kind == "nginx" and "80" in proxy.listens and proxy.upstreams
        for service in proxies.runners(inventory, proxy) if passes else ():
            port = next((item for item in services.public_ports(service) if item.target == "80"), None)
            if port and service.changed_at is None and not environments.only_for_development(service):
                yield _evidence(proxy, service, port)


def _may_be_elsewhere(inventory: Inventory) -> bool:
    """Whether something else of the repository, or a platform, takes the connections of TLS."""
    ports = {port.target for service in inventory.services for port in service.ports}
    listens = {port for proxy in inventory.reverse_proxies for port in proxy.listens}
    return (
        bool(_TLS_PORTS & (ports | listens))
        or any(_ELSEWHERE.search(f"{service.image} {service.name}") for service in inventory.services)
        or deployment.uses_orchestrator(inventory)
    )


def _evidence(proxy: ReverseProxy, service: Service, port: Port) -> Evidence:
    return Evidence(
        f"{service.name} is published at {port.host_port or port.target} and listens on port 80 alone, and nothing in "
        "the repository speaks TLS: unless a proxy of the host does, passwords cross the network in clear.",
        proxy.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(port.location, f"publishes port 80 of {service.name}"),),
        recommendation=f"Let {service.name} listen on 443 with a certificate in {proxy.file}, and publish that port.",
        example=files.into(
            proxy.file,
            "server {\n  listen 443 ssl;\n  ssl_certificate /etc/nginx/certificates/fullchain.pem;\n"
            "  ssl_certificate_key /etc/nginx/certificates/privkey.pem;\n}",
        ),
    )
