"""A proxy listens for HTTPS inside its container, and the port isn't published.

The configuration has a certificate and a server on 443, Compose publishes 80 alone. Where port 80 sends its callers to
HTTPS, nobody reaches the site at all.

Anti-pattern:

    # nginx.conf: listen 443 ssl;
    nginx:
      image: nginx:1.29
      ports: ["80:80"]

Better:

    nginx:
      image: nginx:1.29
      ports: ["80:80", "443:443"]

Recommendation:

    Publish 443 beside 80.

References:

- https://nginx.org/en/docs/http/configuring_https_servers.html
- https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, nginx_sites, published_ports
from auditlib.conventions.nginx_sites import Chain
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PLAIN, _TLS = "80", "443"
_TUNNELS = regex(r"cloudflared|ngrok|tailscale|frpc|pangolin|newt")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Nginx with a server of TLS that publishes port 80 and nowhere 443, where no other service has that port."""
    listening = [item for item in inventory.reverse_proxies if item.tree and _TLS in item.listens]
    if not listening or any(port.host_port == _TLS for item in inventory.services for port in item.ports):
        return
    for config in listening:
        encrypted = [item for item in nginx_sites.servers(inventory, config) if nginx_sites.speaks_tls(item)]
        for runner in nginx_sites.runners(inventory, config) if encrypted else ():
            port = None if _is_reached(inventory, config, runner) else _lacking(inventory, runner)
            if port and encrypted:
                yield _evidence(inventory, config, runner, port, encrypted[0])
                break


def _is_reached(inventory: Inventory, config: ReverseProxy, runner: Service) -> bool:
    """Whether callers come by another port of the configuration, or through a tunnel, which has the certificate."""
    ports = {port.target for item in inventory.versions(runner) or [runner] for port in item.ports}
    tunnel = any(_TUNNELS.search(item.image) for item in inventory.services_of(runner.project).values())
    return tunnel or bool(ports & set(config.listens) - {_PLAIN})


def _lacking(inventory: Inventory, runner: Service) -> Port | None:
    """The plain port that a service publishes to everybody, where no version of it publishes that of TLS."""
    versions = inventory.versions(runner)
    ports = [port for item in versions for port in item.ports]
    hosted = any(item.network_mode == "host" for item in versions)
    if hosted or environments.only_for_development(runner) or any(port.target == _TLS for port in ports):
        return None
    return next((port for port in published_ports.public_ports(runner) if port.target == _PLAIN), None)


def _evidence(inventory: Inventory, config: ReverseProxy, runner: Service, port: Port, server: Chain) -> Evidence:
    place = _listening(server)
    sends = _redirect(inventory, config)
    follows = "port 80 sends its callers there, and nobody reaches the site" if sends else "nobody reaches it by HTTPS"
    return Evidence(
        f"{config.file} has {runner.name} listen on 443 with a certificate, and Compose publishes {port.target} alone: "
        f"{follows}.",
        port.location,
        subject=f"{runner.project}/{runner.name}/{_TLS}",
        service=runner.name,
        related=(
            Related(place, "it listens on 443"),
            *((Related(sends, "callers are sent to HTTPS"),) if sends else ()),
        ),
        severity=Severity.HIGH if sends else None,
        recommendation=f"Publish 443 of {runner.name} beside {port.target}.",
        example=compose_lines.of_service(runner, f'ports:\n  - "{_TLS}:{_TLS}"'),
    )


def _listening(server: Chain) -> Location:
    return next(
        (item.location for item in nginx_sites.own(server, "listen") if "443" in item.words[1]), server[0].location
    )


def _redirect(inventory: Inventory, config: ReverseProxy) -> Location | None:
    """Where a server of plain HTTP sends everybody to HTTPS."""
    for server in nginx_sites.servers(inventory, config):
        root = [chain for chain in nginx_sites.locations(server) if nginx_sites.path(chain) == "/"]
        for chain in (server, *root) if not nginx_sites.speaks_tls(server) else ():
            for item in nginx_sites.own(chain, "return"):
                if any(word.startswith("https://") for word in item.words):
                    return item.location
    return None
