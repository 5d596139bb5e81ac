"""A published port leads nowhere.

Docker publishes no port of a container that is only in internal networks. And a proxy whose configuration listens on
another port than the one that Compose publishes answers nobody.

Anti-pattern:

    services:
      web:
        image: nginx:1.27
        ports: ["443:443"]
        volumes: ["./site.conf:/etc/nginx/conf.d/default.conf"]    # listen 80;

Better:

    services:
      web:
        image: nginx:1.27
        ports: ["80:80"]
        volumes: ["./site.conf:/etc/nginx/conf.d/default.conf"]

Recommendation:

    Publish the port that something listens on, from a service that is in a network with a way out.

References:

- https://docs.docker.com/reference/compose-file/networks/#internal
- https://nginx.org/en/docs/http/ngx_http_core_module.html#listen
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_MAIN = "/etc/nginx/nginx.conf"
_SERVERS = "/etc/nginx/conf.d"
_DEFAULT = f"{_SERVERS}/default.conf"


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service with ports in internal networks alone; and the ports that a mounted configuration doesn't know."""
    closed = {(item.project, item.name): item for item in inventory.networks if item.internal}
    for service in inventory.distinct_services:
        mine = [(service.project, item.network) for item in service.networks]
        if service.ports and mine and all(key in closed for key in mine) and not service.network_mode:
            names = listed(name for _, name in mine)
            yield Evidence(
                f"{service.name} publishes {_shown(service.ports)}, but is only in {names}, which "
                f"{'is' if len(mine) == 1 else 'are'} internal: Docker publishes nothing of it.",
                service.ports[0].location,
                subject=f"{service.name}/internal",
                service=service.name,
                related=tuple(Related(closed[key].location, f"{key[1]} is internal") for key in mine),
                recommendation=f"Let {service.name} join a network that is not internal, or remove its ports.",
            )
            continue
        yield from _of_proxy(inventory, service)


def _of_proxy(inventory: Inventory, service: Service) -> Iterator[Evidence]:
    """The ports of an nginx that none of its files listens on; where other files may be read, nothing is said."""
    found = services.product(inventory, service)
    if found is None or found.name != "Nginx" or service.build is not None or service.command or service.entrypoint:
        return
    files = {item: mounts.path_inside(service, item.file) for item in inventory.reverse_proxies if item.kind == "nginx"}
    read = {item: path for item, path in files.items() if path == _MAIN or path.startswith(f"{_SERVERS}/")}
    replaced = bool({_MAIN, _DEFAULT} & set(read.values())) or any(_is_folder(inventory, service))
    if not read or not replaced or _reads_more(service, read):
        return
    listens = {port for item in read for port in item.listens}
    if _DEFAULT not in read.values() and not any(_is_folder(inventory, service)):
        listens.add("80")  # the image's own server, which a whole configuration may include
    dead = [port for port in service.ports if port.target not in listens and port.protocol == "tcp"]
    if dead:
        yield Evidence(
            f"{service.name} publishes {_shown(dead)}, and {listed(item.file for item in read)} listens on "
            f"{listed(sorted(listens, key=int))} inside the container.",
            dead[0].location,
            subject=f"{service.name}/{'/'.join(port.target for port in dead)}",
            service=service.name,
            related=tuple(Related(item.location, "what nginx listens on") for item in read),
            recommendation=f"Publish a port that {next(iter(read)).file} listens on, or let it listen on "
            f"{dead[0].target}.",
        )


def _is_folder(inventory: Inventory, service: Service) -> Iterator[bool]:
    """Whether the whole folder of the servers is mounted, so that the image's own is hidden."""
    yield from (mount.kind == "bind" and mount.target.rstrip("/") == _SERVERS for mount in service.mounts)


def _reads_more(service: Service, read: dict[ReverseProxy, str]) -> bool:
    """Whether further files may be read: from places that aren't known, or by `include` of a whole configuration."""
    unknown = any(
        (mount.outside or mount.kind != "bind") and mount.target.startswith("/etc/nginx") for mount in service.mounts
    )
    templates = any(mount.target.startswith("/etc/nginx/templates") for mount in service.mounts)
    main_alone = set(read.values()) == {_MAIN} and not any(item.listens for item in read)
    return unknown or templates or main_alone or bool(service.configs)


def _shown(ports: tuple[Port, ...] | list[Port]) -> str:
    return listed(f"port {port.target}" for port in ports)
