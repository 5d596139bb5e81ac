"""What everybody reaches speaks HTTP alone.

Passwords, cookies and tokens cross the network in clear, and browsers call the site unsafe. That holds for a proxy that
listens on port 80, for an Ingress without a certificate, and for a program that is published itself, with no proxy
before it.

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
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
- https://letsencrypt.org/getting-started/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import (
    deployment,
    encryption,
    environments,
    image_folders,
    mounts,
    probes,
    proxies,
    published_ports,
    services,
    stacks,
)
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.clusters import ClusterIngress
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_KEYS = regex(r"(?:TLS|SSL|HTTPS)(?:_|$)|(?:^|_)CERT|\.(?:pem|crt|key|p12|jks)$|--(?:ssl|tls|cert)", re.I)
_LOGIN = regex(r"JWT|(?:^|_)(?:SECRET_KEY|SESSION|AUTH|TOKEN_SECRET|COOKIE)(?:_|$)", re.I)
"""Variables of programs that know their users."""
_TUNNELS = regex(r"cloudflared|ngrok|tailscale|traefik|nginx|haproxy|swag|envoy", re.I)
_ENDING = frozenset({"ends", "terminates", "terminated", "terminate", "terminating", "offloads"})
"""Words of a document that says where TLS ends."""


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Ingress without a certificate, each site that Caddy is told to serve in clear; each nginx whose plain port
    is published, and for each project what is published without a proxy, where nothing of the repository listens on a
    port of TLS.
    """
    yield from _ingresses(inventory)
    yield from _told_to_be_plain(inventory)
    if encryption.may_be_elsewhere(inventory):
        return
    yield from _unproxied(inventory)
    for proxy in inventory.reverse_proxies:
        passes = proxy.kind == "nginx" and proxy.listens and proxy.upstreams
        for service in proxies.runners(inventory, proxy) if passes else ():
            port = next((item for item in published_ports.public_ports(service) if item.target in proxy.listens), None)
            if port and service.changed_at is None and not environments.only_for_development(service):
                yield _evidence(inventory, proxy, service, port)


def _ingresses(inventory: Inventory) -> Iterator[Evidence]:
    """The Ingresses of manifests that say nothing of TLS, one finding for each file."""
    found = [(file, item) for file in inventory.cluster_files for item in file.ingresses]
    if found and any(item.words & encryption.ENDS and item.words & _ENDING for item in inventory.documents):
        return
    encrypted = {item.name for _, item in found if item.encrypted}  # an overlay may add what its base lacks
    for file in dict.fromkeys(file for file, _ in found):
        plain = [item for item in file.ingresses if item.name not in encrypted]
        if plain and not stages.is_for_development(file.location.file):
            yield _ingress_evidence(plain)


def _ingress_evidence(found: list[ClusterIngress]) -> Evidence:
    first, *others = found
    file = first.location.file
    hosts = listed(dict.fromkeys(host for item in found for host in item.hosts)) or "the services behind it"
    redirects = " `ssl-redirect` sends nobody to HTTPS without one." if first.redirects else ""
    host = first.hosts[0] if first.hosts else "<the name of the site>"
    return Evidence(
        f"The Ingress {first.name} leads to {hosts} without `tls`: unless a load balancer before the cluster has a "
        f"certificate, passwords cross the network in clear.{redirects}",
        first.location,
        subject=f"Ingress {first.name}",
        related=tuple(Related(item.location, f"{item.name} has none either", member=True) for item in others),
        recommendation=f"Give {first.name} a certificate in `spec.tls`, such as one that cert-manager renews.",
        example=files.into(file, f"spec:\n  tls:\n    - hosts: [{host}]\n      secretName: {first.name}-tls"),
    )


def _told_to_be_plain(inventory: Inventory) -> Iterator[Evidence]:
    """The sites that Caddy is told to serve by HTTP, where nothing else can speak TLS before it."""
    for proxy in inventory.reverse_proxies:
        for service in proxies.runners(inventory, proxy) if proxy.plain_sites else ():
            before = any(_TUNNELS.search(f"{item.image} {item.name}") for item in inventory.services)
            port = next((item for item in published_ports.public_ports(service) if item.target == "80"), None)
            if port and not before and not environments.only_for_development(service):
                yield _plain_evidence(inventory, proxy, service, port)
                break


def _plain_evidence(inventory: Inventory, proxy: ReverseProxy, service: Service, port: Port) -> Evidence:
    site, *others = proxy.plain_sites
    return Evidence(
        f"{proxy.file} has Caddy serve {site.name} by plain HTTP (`http://`), for which it would get a certificate by "
        "itself: unless a proxy of the host speaks TLS, passwords cross the network in clear.",
        site.location,
        subject=f"{service.project}/{service.name}/{site.name}",
        service=service.name,
        related=(
            Related(port.location, f"publishes port 80 of {service.name}"),
            *(Related(item.location, f"{item.name} is plain too", member=True) for item in others),
        ),
        severity=Severity.LOW if encryption.is_spoken_of(inventory) else None,
        recommendation=f"Take `http://` out of the site's address in {proxy.file}, and publish port 443.",
        change=(f"http://{site.name}", site.name),
        example=files.into(proxy.file, f"{site.name} {{\n  …\n}}"),
    )


def _unproxied(inventory: Inventory) -> Iterator[Evidence]:
    """The programs of each project that answer the network themselves."""
    if any(item.kind == "tls" for item in inventory.server_traits) or _has_proxy(inventory):
        return
    told = bool(deployment.guides(inventory) or deployment.signs_of_production(inventory))
    for project, mine in stacks.by_project(inventory.deployed_services).items():
        found = [
            (service, port)
            for service in mine
            if told or service.restart in ("always", "unless-stopped")
            for port in _of_users(inventory, service)
        ]
        if found:
            yield _unproxied_evidence(inventory, project, found)


def _has_proxy(inventory: Inventory) -> bool:
    """Whether a proxy is configured or started anywhere; whoever has one has thought of the way in."""
    kinds = (services.product(inventory, item) for item in inventory.services)
    configured = any(proxies.runners(inventory, item) for item in inventory.reverse_proxies)
    labelled = encryption.speaks_by_label(inventory)
    return configured or labelled or any(kind is not None and kind.kind == "proxy" for kind in kinds)


def _of_users(inventory: Inventory, service: Service) -> list[Port]:
    """The public ports at which a service that is built here answers by HTTP, and people log in."""
    dockerfile = services.dockerfile(inventory, service)
    if dockerfile is None or environments.only_for_development(service) or _is_given_keys(service):
        return []
    homes = image_folders.of_sources(service, dockerfile)
    names = [entry.name for entry in service.environment]
    names += [
        item.name for item in inventory.settings if any(mounts.is_below(item.location.file, home) for home in homes)
    ]
    if not any(_LOGIN.search(name) for name in names):
        return []
    probe = probes.of(inventory, service)
    asked = probes.ports(probe) if probe and probes.asks_web(probe) else []
    routed = any(mounts.is_below(item.location.file, home) for item in inventory.web_routes for home in homes)
    only = routed and len(service.ports) == 1
    return [port for port in published_ports.public_ports(service) if only or port.target in asked]


def _is_given_keys(service: Service) -> bool:
    """Whether a variable, an option or a mount says that the program may speak TLS itself."""
    words = [*service.entrypoint, *service.command, *(entry.name for entry in service.environment)]
    return any(_KEYS.search(word) for word in (*words, *(mount.target for mount in service.mounts)))


def _unproxied_evidence(inventory: Inventory, project: str, found: list[tuple[Service, Port]]) -> Evidence:
    (service, port), *others = found
    names = listed(f"{item.name} ({each.host_port or each.target})" for item, each in found)
    return Evidence(
        f"{names} {'is' if not others else 'are'} published without a proxy, and nothing in the repository speaks TLS: "
        "unless a proxy of the host does, passwords and tokens cross the network in clear.",
        port.location,
        subject=f"{project}/unproxied",
        service=service.name,
        related=tuple(Related(each.location, f"{item.name} is published here", member=True) for item, each in others),
        recommendation=f"Put a proxy with a certificate before {service.name}, and publish it as "
        f"{compose_lines.local_form(port)}.",
        severity=Severity.LOW if encryption.is_spoken_of(inventory) else None,
        confidence=Confidence.LOW,
        change=compose_lines.on_loopback(port),
        example=files.into("Caddyfile", f"<the name of the site> {{\n  reverse_proxy {service.name}:{port.target}\n}}"),
    )


def _evidence(inventory: Inventory, proxy: ReverseProxy, service: Service, port: Port) -> Evidence:
    spoken = encryption.is_spoken_of(inventory)
    return Evidence(
        f"{service.name} is published at {port.host_port or port.target} and listens on port {port.target} alone, and "
        "nothing in the repository speaks TLS: unless a proxy of the host does, passwords cross the network in clear.",
        proxy.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(port.location, f"publishes port {port.target} of {service.name}"),),
        severity=Severity.LOW if spoken or "80" not in (port.target, port.host_port) else None,
        recommendation=f"Let {service.name} listen on 443 with a certificate in {proxy.file}, and publish that port.",
        example=files.into(
            proxy.file,
            "server {\n  listen 443 ssl;\n  ssl_certificate /etc/nginx/certificates/fullchain.pem;\n"
            "  ssl_certificate_key /etc/nginx/certificates/privkey.pem;\n}",
        ),
    )
