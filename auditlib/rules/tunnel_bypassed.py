"""A tunnel leads to the services of a host, and their ports are published as well.

Cloudflare's tunnel asks services inside of their network and needs no port of the host. One that is published all the
same leads past everything that the tunnel is there for: sign-in, filters, limits, and the hidden address of the host.

Anti-pattern:

    tunnel: {image: "cloudflare/cloudflared:2025.8.1", command: tunnel run}
    web: {build: ., ports: ["8000:8000"]}

Better:

    tunnel: {image: "cloudflare/cloudflared:2025.8.1", command: tunnel run}      # leads to http://web:8000
    web: {build: .}

Recommendation:

    Publish no port of what the tunnel leads to, or bind it to 127.0.0.1.

References:

- https://developers.cloudflare.com/cloudflare-one/networks/connectors/cloudflare-tunnel/
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, published_ports, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_TUNNEL = "cloudflare/cloudflared"
_OTHERWISE = frozenset({"proxy-dns", "access", "--url"})
"""What cloudflared does beside: answer DNS, lead to a tunnel of others, and try something out under a random name."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project with a tunnel one finding for the applications and proxies whose ports are published."""
    for project, mine in stacks.by_project(inventory.deployed_services).items():
        tunnel = next((item for item in mine if images.repository(item.image) == _TUNNEL), None)
        used = tunnel and not tunnel.profiles and tunnel.network_mode != "host" and not _is_for_else(tunnel)
        if tunnel and used and not environments.only_for_development(tunnel):
            found = [(item, port) for item in mine if item is not tunnel for port in _web_ports(inventory, item)]
            if found:
                yield _evidence(project, tunnel, found)


def _is_for_else(tunnel: Service) -> bool:
    words = {word.partition("=")[0] for text in (*tunnel.entrypoint, *tunnel.command) for word in text.split()}
    return not words.isdisjoint(_OTHERWISE) or any(entry.name == "TUNNEL_URL" for entry in tunnel.environment)


def _web_ports(inventory: Inventory, service: Service) -> list[Port]:
    """The public ports of what is built here, or passes requests on: what a tunnel is likely to lead to."""
    product = services.product(inventory, service)
    leads = service.build is not None or (product is not None and product.kind == "proxy")
    store = product is not None and product.kind in services.DATASTORES
    if not leads or store or environments.only_for_development(service):
        return []
    return [port for port in published_ports.public_ports(service) if port.protocol != "udp"]


def _evidence(project: str, tunnel: Service, found: list[tuple[Service, Port]]) -> Evidence:
    (service, port), *others = found
    names = listed(f"{item.name} ({each.host_port or each.variable or each.target})" for item, each in found)
    return Evidence(
        f"{names} {'is' if not others else 'are'} published to everybody, though {tunnel.name} leads from outside to "
        "what runs here and needs no port: whoever knows the address of the host gets past it.",
        port.location,
        subject=f"{project}/tunnel",
        service=service.name,
        related=(
            Related(tunnel.location, "the tunnel"),
            *(Related(each.location, f"{item.name} is published here", member=True) for item, each in others),
        ),
        recommendation=f"Remove the port of {service.name}, or publish it as {compose_lines.local_form(port)}.",
        change=compose_lines.on_loopback(port),
        example=compose_lines.of_service(service, f"ports: [{compose_lines.local_form(port)}]"),
    )
