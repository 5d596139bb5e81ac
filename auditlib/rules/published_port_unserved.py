"""A published port leads to one on which the proxy doesn't listen.

The right half of `ports` is the port inside the container. Where Nginx listens on another, connections to the
published port are refused, though the container runs and nothing is logged.

Anti-pattern:

    # nginx.conf: listen 9080;
    nginx:
      image: nginx:1.27
      ports: ["9080:80"]
      volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]

Better:

    nginx:
      image: nginx:1.27
      ports: ["9080:9080"]
      volumes: ["./nginx.conf:/etc/nginx/nginx.conf:ro"]

Recommendation:

    Publish the port on which the configuration listens.

References:

- https://docs.docker.com/reference/compose-file/services/#ports
- https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import images, monitoring, mounts, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Mount, Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOME = "/etc/nginx"
_USUAL = "/etc/nginx/conf.d/default.conf"
"""What listens on port 80 in the published image, as long as nothing lies over it."""

_WITHOUT_SERVERS = regex(r"(?:mime\.types|(?:fastcgi|uwsgi|scgi|proxy)_params|fastcgi\.conf)$|/modules(?:-enabled)?/")
"""What the image brings for a configuration to include: no server of it listens anywhere."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every published port of an Nginx whose whole configuration is known and listens on others."""
    for service in inventory.distinct_services:
        if images.repository(service.image) != "nginx" or _starts_otherwise(service):
            continue
        found = [item for item in inventory.reverse_proxies if mounts.path_inside(service, item.file).startswith(_HOME)]
        listens = {port for item in found for port in item.listens}
        tcp = (port for port in service.ports if port.target.isdigit() and port.protocol != "udp")
        elsewhere = _listened_elsewhere(inventory, service)
        wrong = [port for port in tcp if port.target not in listens | elsewhere]
        if wrong and listens and _is_all(inventory, service, found):
            yield _evidence(service, wrong[0], found, sorted(listens))


def _listened_elsewhere(inventory: Inventory, service: Service) -> set[str]:
    """The ports on which the configurations listen that an overlay gives the service."""
    others = [item for item in inventory.versions(service) if item.key != service.key]
    return {
        port
        for item in inventory.reverse_proxies
        if any(mounts.path_inside(other, item.file).startswith(_HOME) for other in others)
        for port in item.listens
    }


def _starts_otherwise(service: Service) -> bool:
    """Whether something but the image's own words decides which configuration is read, or no port is published."""
    words = " ".join(service.command)
    elsewhere = service.build or service.entrypoint or service.configs or service.network_mode
    return bool(elsewhere or "envsubst" in words or " -c" in words)


def _is_all(inventory: Inventory, service: Service, found: list[ReverseProxy]) -> bool:
    """Whether these files are all that the server reads, and nothing of them is filled in."""
    mine = [mount for mount in service.mounts if mounts.is_below(mount.target, _HOME)]
    known = {item.file for item in found}
    here = [path for mount in mine if mount.kind == "bind" and not mount.outside for path in _brought(inventory, mount)]
    unread = any(path not in known or monitoring.is_template(path) for path in here)
    elsewhere = any(mount.kind != "bind" or mount.outside or "/templates" in mount.target for mount in mine)
    main = next((item for item in found if mounts.path_inside(service, item.file) == proxies.MAIN_FILE), None)
    included = [path for path in main.includes if not _WITHOUT_SERVERS.search(path)] if main else [_USUAL]
    replaced = any(mounts.is_below(_USUAL, mount.target) for mount in mine)
    further = (path for item in found if item is not main for path in item.includes)
    if any(not _is_home(path) and not _WITHOUT_SERVERS.search(path) for path in further):
        return False
    complete = not included or (replaced and all(posixpath.dirname(_USUAL) in path for path in included))
    return complete and not unread and not elsewhere


def _is_home(path: str) -> bool:
    """Whether what is included lies in the server's own folder, whose files are all looked at."""
    return not path.startswith("/") or mounts.is_below(path, _HOME)


def _brought(inventory: Inventory, mount: Mount) -> list[str]:
    """The configurations that a mount brings; a file that is mounted by itself counts whatever it is called."""
    if mount.source in inventory.file_set:
        return [mount.source]
    return [path for path in below(inventory.files, mount.source) if ".conf" in path]


def _evidence(service: Service, port: Port, found: list[ReverseProxy], listens: list[str]) -> Evidence:
    written = f"{port.host_port}:{port.target}" if port.host_port else port.target
    speaking = [item for item in found if item.listens]
    answers = any(other.target in listens for other in service.ports)
    first_step = f"Take {written} out of `ports`" if answers else f"Publish {listed(listens)} of {service.name}"
    return Evidence(
        f"{service.name} publishes {written}, and its configuration listens on {listed(listens)} only: connections to "
        "the published port are refused.",
        port.location,
        subject=f"{service.project}/{service.name}/{port.target}",
        service=service.name,
        related=tuple(Related(item.location, f"{item.file} listens on {listed(item.listens)}") for item in speaking),
        recommendation=f"{first_step}, or let {service.name} listen on {port.target}.",
        severity=Severity.LOW if answers else None,
        change=_published(service, port, listens),
        example=files.into(speaking[0].file, _server(port.target)),
    )


def _published(service: Service, port: Port, listens: list[str]) -> tuple[str, str]:
    """The port to the only one that is listened on, unless that is published already."""
    free = port.host_port and len(listens) == 1 and not any(item.target == listens[0] for item in service.ports)
    return (f"{port.host_port}:{port.target}", f"{port.host_port}:{listens[0]}") if free else ("", "")


def _server(port: str) -> str:
    """A server that listens on a port; at that of HTTPS with a certificate."""
    if port not in ("443", "8443"):
        return f"server {{\n  listen {port};\n}}"
    keys = "ssl_certificate <the certificate>;\n  ssl_certificate_key <its private key>;"
    return f"server {{\n  listen {port} ssl;\n  {keys}\n}}"
