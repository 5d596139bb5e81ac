"""The volumes in which Nginx's logs are links to its standard output, so that nobody else can read them there.

Source: https://github.com/nginx/docker-nginx: the image has `access.log` and `error.log` as links. An empty volume is
filled with what the image has in the folder (https://docs.docker.com/engine/storage/volumes/); a folder of the host
isn't.
"""

from __future__ import annotations

import posixpath

from auditlib.conventions import images
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Service

NAMES = frozenset({"access.log", "error.log"})
FOLDER = "/var/log/nginx"
_WITH_LINKS = frozenset({"nginx", "nginxinc/nginx-unprivileged"})


def server(inventory: Inventory, reader: Service, mount: Mount) -> Service | None:
    """The Nginx that has a volume as the folder of its logs, as another service of its project mounts it."""
    external = any(volume.name == mount.source and volume.external for volume in inventory.volumes)
    if mount.kind != "volume" or not mount.source or external:
        return None
    projects = {reader.project, *inventory.family(reader.project)}
    found = (
        service
        for service in inventory.services
        for item in service.mounts
        if item.source == mount.source and item.kind == "volume" and item.target.rstrip("/") == FOLDER
        if images.repository(service.image) in _WITH_LINKS and service.build is None and service.project in projects
    )
    return next(found, None)


def are_others_written(inventory: Inventory) -> bool:
    """Whether an Nginx is told to write a log under a name that its image has no link for."""
    folders = (folder for proxy in inventory.reverse_proxies for folder in proxy.folders if proxy.kind == "nginx")
    return any(posixpath.dirname(path) == FOLDER and posixpath.basename(path) not in NAMES for path in folders)
