"""A proxy and Grafana don't agree on the path below which Grafana is.

Grafana makes the addresses of its pages, scripts and redirects out of `root_url`. Without one it takes itself for the
root of the host: behind `location /grafana/` the login page leads to `/login`, which belongs to another program, and
the browser shows a blank page. With `serve_from_sub_path` it wants the path in each request, and since version 10 it
redirects what comes without: a proxy that takes the path away never gets another answer.

Anti-pattern:

    location /grafana/ { proxy_pass http://grafana:3000/; }
    # and nothing tells Grafana

Better:

    environment:
      GF_SERVER_ROOT_URL: https://example.com/grafana/
      GF_SERVER_SERVE_FROM_SUB_PATH: "true"

Recommendation:

    Give Grafana the address under which browsers see it, or pass a host of its own to it.

References:

- https://grafana.com/tutorials/run-grafana-behind-a-proxy/
- https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#root_url
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, images, nginx_locations, proxies, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import Passage, ReverseProxy
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PREFIX = regex(r"(?:\^~ )?(?P<path>/[\w-]+(?:/[\w-]+)*/?)")
_CONFIGURED = ("GF_SERVER_ROOT_URL", "GF_PATHS_CONFIG", "GF_SERVER_SERVE_FROM_SUB_PATH")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each location of nginx, but for the whole host, that leads to a Grafana which isn't told of an address."""
    for config in inventory.reverse_proxies:
        for proxy in proxies.runners(inventory, config)[:1] if config.passages else ():
            for service in inventory.services_of(proxy.project).values():
                passage = _below_path(config, service) if _is_untold(inventory, service) else None
                if passage:
                    yield _evidence(config, passage, service)
                wanted = _wants_path(inventory, service)
                stripped = _below_path(config, service) if wanted else None
                if wanted and stripped and stripped.rewritten == "/":
                    yield _of_loop(config, stripped, service, wanted)


def _wants_path(inventory: Inventory, service: Service) -> EnvironmentEntry | None:
    """Where a Grafana of a release that redirects is told to serve below a path."""
    found = services.product(inventory, service)
    old = regex(r"v?\d\b").match(images.tag(service.image))
    if found is None or found.name != "Grafana" or old or environments.only_for_development(service):
        return None
    told = (item for item in service.environment if item.name == "GF_SERVER_SERVE_FROM_SUB_PATH" and item.value)
    return next((item for item in told if item.value and item.value.text.lower() == "true"), None)


def _of_loop(config: ReverseProxy, passage: Passage, service: Service, entry: EnvironmentEntry) -> Evidence:
    match = _PREFIX.fullmatch(passage.path)
    path = f"{match['path'].rstrip('/')}/" if match else "/"
    return Evidence(
        f"{config.file} takes {path} away from what it passes to {service.name}, which wants it in each request and "
        "redirects what comes without it: the browser is sent round until it gives up.",
        passage.location,
        subject=f"{service.project}/{service.name}/loop",
        service=service.name,
        related=(Related(entry.location, f"{service.name} serves from below the path"),),
        recommendation=f"Pass requests below {path} on as they are: `proxy_pass` without a path behind the host.",
        severity=Severity.HIGH,
        example=f"# {config.file}\nlocation {path} {{\n    proxy_pass http://{service.name}:3000;\n}}",
    )


def _is_untold(inventory: Inventory, service: Service) -> bool:
    """Whether a service is Grafana as published, and nothing that is known of it says under which address it is."""
    found = services.product(inventory, service)
    if found is None or found.name != "Grafana" or service.build or environments.only_for_development(service):
        return False
    named = any(entry.name in _CONFIGURED for entry in service.environment)
    mounted = any(mount.target.startswith("/etc/grafana") and mount.target.endswith(".ini") for mount in service.mounts)
    whole = any(mount.target.rstrip("/") == "/etc/grafana" for mount in service.mounts)
    return not (named or mounted or whole or service.configs or service.env_files or service.command)


def _below_path(config: ReverseProxy, service: Service) -> Passage | None:
    """The only passage to a service, if it is of a path; None where another one, or the whole host, leads there too."""
    names = {service.name, service.container_name} - {""}
    found = [item for item in config.passages if not names.isdisjoint(nginx_locations.hosts(config, item))]
    paths = {item.path for item in found}
    return found[0] if len(paths) == 1 and _PREFIX.fullmatch(found[0].path) else None


def _evidence(config: ReverseProxy, passage: Passage, service: Service) -> Evidence:
    match = _PREFIX.fullmatch(passage.path)
    path = f"{match['path'].rstrip('/')}/" if match else "/"
    sub_path = "" if passage.rewritten else '\n  GF_SERVER_SERVE_FROM_SUB_PATH: "true"'
    return Evidence(
        f"{config.file} passes {path} to {service.name}, which isn't told of that path: Grafana's pages and redirects "
        "lead to the root of the host, where it isn't.",
        passage.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(service.location, f"{service.name} has no GF_SERVER_ROOT_URL"),),
        recommendation=f"Give {service.name} GF_SERVER_ROOT_URL with the address that browsers use, which ends in "
        f"{path}.",
        example=compose_lines.of_service(
            service, f"environment:\n  GF_SERVER_ROOT_URL: https://<host>{path}{sub_path}"
        ),
    )
