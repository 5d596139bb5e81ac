"""Where the programs that get certificates keep them, and so fill by themselves what is mounted there."""

from __future__ import annotations

import posixpath

from auditlib.conventions import images, mounts, traefik_settings
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Mount, Service
from auditlib.patterns import regex

COMPANIONS = {
    "nginxproxy/acme-companion": "/etc/acme.sh",
    "jwilder/letsencrypt-nginx-proxy-companion": "/etc/acme.sh",
    "linuxserver/swag": "/config",
    "jc21/nginx-proxy-manager": "/etc/letsencrypt",
    "certbot/certbot": "/etc/letsencrypt",
}
"""By the images' own documentation."""
STORAGE = regex(r"certificatesresolvers\.([^.]+)\.acme\.storage")
"""The setting of Traefik that names its file."""


def are_filled(inventory: Inventory, service: Service, mount: Mount) -> bool:
    """Whether a service puts the certificates that it gets into what it mounts."""
    if mount.read_only:
        return False
    kept = _of_traefik(inventory).get((service.project, service.name), ())
    own = COMPANIONS.get(images.repository(service.image)) if service.build is None else None
    return any(mounts.is_below(path, mount.target) for path in (*kept, *([own] if own else ())))


@answered_once
def _of_traefik(inventory: Inventory) -> dict[tuple[str, str], tuple[str, ...]]:
    """The folders in which each Traefik keeps them, by its project and name; a single file must be there before."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for settings in traefik_settings.servers(inventory):
        named = (item.value for item in settings.static if STORAGE.fullmatch(item.name))
        folders = (posixpath.dirname(posixpath.normpath(posixpath.join("/", path))) for path in named)
        key = (settings.service.project, settings.service.name)
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), *folders)))
    return found
