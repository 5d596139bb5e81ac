"""Which services run with the configuration of a reverse proxy."""

from __future__ import annotations

import posixpath
from fnmatch import fnmatchcase

from auditlib.conventions import mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.proxy import ReverseProxy
from auditlib.inventory.stack import Service

_HOME = "/etc/nginx"
MAIN_FILE = f"{_HOME}/nginx.conf"
"""What Nginx reads first, and alone where it includes nothing."""
_SITES = (f"{_HOME}/conf.d", f"{_HOME}/sites-enabled")


def runners(inventory: Inventory, proxy: ReverseProxy) -> tuple[Service, ...]:
    """The services that mount the file, or are built beside it; all services are asked once for each file."""
    known = inventory.proxy_runners
    if proxy.file not in known:
        known[proxy.file] = tuple(_runners(inventory, proxy))
    return known[proxy.file]


def _runners(inventory: Inventory, proxy: ReverseProxy) -> list[Service]:
    found = []
    for service in inventory.services:
        places = [mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside]
        if not _may_run(inventory, service, proxy):
            places = [place for place in places if place != "."]  # it is there among everything else
        elif service.build and not service.build.outside:
            places.append(service.build.context)
        if any(place in (".", proxy.file) or proxy.file.startswith(place + "/") for place in places):
            found.append(service)
    return [
        service for service in found if not left_out(inventory, service, proxy) and not _is_passed_over(service, proxy)
    ]


def _is_passed_over(service: Service, proxy: ReverseProxy) -> bool:
    """Whether a file lies among the sites under a name that the image's own configuration doesn't include."""
    inside = mounts.path_inside(service, proxy.file)
    among = posixpath.dirname(inside) == _SITES[0] and not inside.endswith(".conf")
    return among and not mounts.path_outside(service, MAIN_FILE)


def left_out(inventory: Inventory, service: Service, proxy: ReverseProxy) -> ReverseProxy | None:
    """The configuration that Nginx is started with in place of its image's, if it doesn't include a mounted site."""
    inside = mounts.path_inside(service, proxy.file)
    if service.build or posixpath.dirname(inside) not in _SITES or "nginx" not in service.image:
        return None
    path = mounts.path_outside(service, f"{_HOME}/nginx.conf")
    main = next((item for item in inventory.reverse_proxies if path and item.file == path), None)
    seen = [item for item in inventory.reverse_proxies if mounts.path_inside(service, item.file)]
    wanted = [posixpath.join(_HOME, text) for item in seen for text in item.includes]
    taken = any("$" in text or fnmatchcase(inside, text) for text in wanted)
    return None if main is None or main is proxy or taken else main


def _may_run(inventory: Inventory, service: Service, proxy: ReverseProxy) -> bool:
    """Whether a service's image may be one of the proxy: it is called so, or what is built names it or isn't known."""
    if service.build is None:
        return proxy.kind in service.image
    found = services.dockerfile(inventory, service)
    if found is None:
        return True
    base, steps = services.final_stage(found, service.build.target)
    return proxy.kind in base or any(proxy.kind in word for item in steps for word in item.words)


def copies_another(inventory: Inventory, service: Service, proxy: ReverseProxy) -> bool:
    """Whether the build of a service names another configuration of its context, and this one neither by its own name
    nor by a folder or a pattern, so that it only lies beside (`nginx.local.conf`).
    """
    file = services.dockerfile(inventory, service)
    if file is None or service.build is None or mounts.path_inside(service, proxy.file):
        return False
    inside = posixpath.relpath(proxy.file, service.build.context or ".")
    texts = [item.argument for item in file.instructions if item.keyword in ("COPY", "ADD", "RUN", "CMD", "ENTRYPOINT")]
    copied = [word for item in file.instructions if item.copies_context for word in item.words[:-1]]
    sources = [posixpath.normpath(word.lstrip("/")) for word in copied]
    within = any(inside.startswith(f"{source}/") for source in sources if source != ".")
    matched = any(fnmatchcase(inside, source) for source in sources) or any("$" in word for word in copied)
    if within or matched or any(_names(text, proxy) for text in texts):
        return False
    others = (item for item in inventory.reverse_proxies if item.file != proxy.file)
    return any(_names(text, other) for other in others for text in texts)


def _names(text: str, proxy: ReverseProxy) -> bool:
    name = posixpath.basename(proxy.file)
    return any(posixpath.basename(word) == name for word in text.split()[:-1] or text.split())
