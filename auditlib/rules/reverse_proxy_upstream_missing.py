"""A reverse proxy passes requests to a host that is no service.

nginx looks its upstreams up when it starts and refuses to start if one is missing ("host not found in upstream"); Caddy
and Traefik answer every such request with an error.

Anti-pattern:

    location /grafana/ {
      proxy_pass http://grafana:3000;  # no service is called so
    }

Better:

    location /api/ {
      proxy_pass http://api:8000;
    }

Recommendation:

    Correct the name, add the service, or remove the route.

References:

- https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass
- https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import peers, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy, Upstream
from auditlib.inventory.stack import Endpoint, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every upstream host of a configuration that a service uses and that no service answers to, once a file."""
    extra = {name for service in inventory.services for name in service.extra_hosts}
    external = any(network.external for network in inventory.networks)
    groups = {item.group for proxy in inventory.reverse_proxies for item in proxy.upstreams if item.group}
    for proxy in inventory.reverse_proxies:
        if external or not _is_used(inventory, proxy):
            continue
        missing: dict[str, list[Upstream]] = {}
        for item in proxy.upstreams:
            end = Endpoint(item.scheme, item.host, item.port)
            known = item.host in extra or item.host in groups or graph.resolve(item.host, item.port, proxy.file)
            if item.host and peers.could_be_service(end) and not known:
                missing.setdefault(item.host, []).append(item)
        for host, uses in missing.items():
            yield _evidence(proxy, host, uses)


def _is_used(inventory: Inventory, proxy: ReverseProxy) -> bool:
    """Whether a service mounts the file, or is built beside it."""
    for service in inventory.services:
        places = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
        if service.build and not service.build.outside and _may_hold(inventory, service, proxy):
            places.append(service.build.context)
        if any(place in (".", proxy.file) or proxy.file.startswith(place + "/") for place in places):
            return True
    return False


def _may_hold(inventory: Inventory, service: Service, proxy: ReverseProxy) -> bool:
    """Whether a service's image may be one of the proxy: its Dockerfile names it, or isn't known."""
    found = services.dockerfile(inventory, service)
    return found is None or any(proxy.kind in word for item in found.instructions for word in item.words)


def _evidence(proxy: ReverseProxy, host: str, uses: list[Upstream]) -> Evidence:
    first, *others = uses
    where = f" for {first.path}" if first.path else ""
    effect = "nginx refuses to start" if proxy.kind == "nginx" else "such requests fail"
    return Evidence(
        f"The proxy passes requests{where} to {host}{f':{first.port}' if first.port else ''}, which is no service: "
        f"{effect}.",
        first.location,
        subject=host,
        related=tuple(Related(item.location, f"{host} is named here too", member=True) for item in others),
        recommendation=f"Add a service {host}, or take it out of {proxy.file}.",
    )
