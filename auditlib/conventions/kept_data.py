"""What services keep, and in which of their mounts: stores, users' files, applications of others, the monitoring."""

from __future__ import annotations

import re

from msgspec.structs import replace

from auditlib.conventions import data_folders, django, mounts, services
from auditlib.conventions.images import Product
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.patterns import regex

_FOLDERS = frozenset({"PGDATA", "KAFKA_LOG_DIRS"})
"""Variables that tell a server where to keep its data."""
_SETTINGS = regex(r"\.(?:conf|cnf|cfg|config|ini|ya?ml|toml|json|xml|properties|acl|sh|sql|pem|crt|key)$")
"""Files by which a command configures a server, and which hold none of its data."""
_FILES = regex(
    r"(?:^|/)(?:uploads?|media|attachments?|documents?|avatars?|user[-_]?(?:files|data|content)|filestore|"
    r"file[-_]?(?:storage|uploads?))(?:/|$)|/data/(?:[^/]+/){0,8}files/?$"
)
_FILES_BY_VOLUME = regex(
    r"(?:^|[_-])(?:uploads?|attachments?|user[-_]?(?:files|uploads|content)|file[-_]?(?:storage|store|uploads?))"
    r"(?:[_-](?:data|volume|prod))?$"
)
"""What keeps users' files, by the folder in the container or by the volume's name."""
_HOMES = {"prom/prometheus": "/prometheus", "prom/alertmanager": "/alertmanager"}
"""Where images keep their data, unless they are told of another folder."""
_OF_MONITORING = frozenset({"/prometheus", "/alertmanager", "/var/lib/grafana", "/loki", "/var/lib/loki"})
"""Where the images of Prometheus, Alertmanager, Grafana and Loki keep what they write."""
_OF_OPERATORS = frozenset({"Jenkins", "Nexus", "Uptime Kuma", "Node-RED", "Home Assistant"})
"""Applications whose data is their own settings and histories."""
_OF_DATA = regex(r"(?:^|[_-])(?:data|storage|lake|warehouse)$", re.I)
_PLACE = regex(r"(?:PATH|DIR|DIRECTORY|FOLDER|ROOT|LOCATION|STORE|STORAGE)$")
_MADE_AGAIN = regex(r"cache|te?mp|log|build|static|model|weights|checkpoint|test|index|download|hugging|\bhf", re.I)
_USERS_FILES = Product("users' files", "files")


def keeps_data(service: Service, found: Product | None) -> Mount | None:
    """The mount that holds what a database, broker or cache must not lose; None if it keeps nothing."""
    if found is None or found.kind not in services.DATASTORES:
        return None
    store = as_told(service, found)
    named = (word for word in service.command if not _SETTINGS.search(word))
    places = [*((store.home,) if store.home else store.data), *_told(service), *named]
    homes = [path for path in places if path.startswith("/")]
    return next((item for item in lasting(service) if any(_holds(item, path, store) for path in homes)), None)


def as_told(service: Service, found: Product) -> Product:
    """The product with the one folder that a variable tells the server to keep its data in, if one does."""
    told = _told(service)
    if len(told) != 1 or not told[0].startswith("/") or "," in told[0]:
        return found
    return replace(found, home=told[0], declared=found.declared and told[0] == found.home, newest_home="")


def _told(service: Service) -> list[str]:
    return [entry.value.text for entry in service.environment if entry.name in _FOLDERS and entry.value]


def doubt(service: Service, found: Product) -> str:
    """Why the mount of a data store may not hold its data after all; empty where nothing speaks against it."""
    found = as_told(service, found)
    if not found.newest_home or any(_holds(mount, found.newest_home, found) for mount in lasting(service)):
        return ""
    return f"its image names no release, and new ones keep their data in {found.newest_home}"


def loses_data(service: Service, found: Product) -> bool:
    """Whether nothing that outlives a database, broker or cache holds its data; where nobody knows its folder, any
    lasting mount may.
    """
    return keeps_data(service, found) is None and bool(found.home or not lasting(service))


def lasting(service: Service) -> list[Mount]:
    """The mounts that a service can write to and that outlive its container."""
    return [mount for mount in service.mounts if mount.kind in ("volume", "bind") and not mount.read_only]


def _holds(mount: Mount, folder: str, found: Product) -> bool:
    """Whether a mount holds what is written to a folder."""
    if mounts.is_below(mount.target, folder):
        return True
    return mounts.is_below(folder, mount.target) and not (found.declared and folder == found.home)


_COPIES = regex(r"--(?:replicaof|slaveof)\s")
_COPYING = regex(r"(?:REDIS|VALKEY|POSTGRESQL|MYSQL|MARIADB)_REPLICATION_MODE")
"""The command of a Redis, and the variable of Bitnami's images, by which a server copies another one."""


def is_copy(service: Service) -> bool:
    """Whether a store holds what another one has, which it follows, and fetches it again where it is lost."""
    told = (item.value.text for item in service.environment if item.value and _COPYING.fullmatch(item.name))
    words = " ".join((*service.entrypoint, *service.command))
    return bool(_COPIES.search(words)) or any(text in ("slave", "replica") for text in told)


_FORGETS = regex(r"maxmemory-policy[ =]+[\"']?allkeys")
"""A cache by its own settings, which drop what is seldom asked for."""


def stores(inventory: Inventory, project: Project) -> list[tuple[Service, Product, Mount]]:
    """The services of a project that keep data in a lasting mount, with what they are and the mount."""
    found = (
        (service, services.product(inventory, service)) for service in inventory.services_of(project.name).values()
    )
    return [
        (service, kind, mount)
        for service, kind in found
        if kind and (mount := keeps_data(service, kind)) and not _is_made_again(service)
    ]


def _is_made_again(service: Service) -> bool:
    return is_copy(service) or bool(_FORGETS.search(" ".join(service.command)))


def files(inventory: Inventory, project: Project) -> list[tuple[Service, Product, Mount]]:
    """The named volumes in which applications of a project keep what users gave them, each with the first service."""
    found: dict[str, tuple[Service, Product, Mount]] = {}
    for service in inventory.services_of(project.name).values():
        for mount in lasting(service) if services.product(inventory, service) is None else ():
            kept = mount.kind == "volume" and is_of_users_files(mount)
            if kept and not django.stores_away(inventory, service):
                found.setdefault(mount.source, (service, _USERS_FILES, mount))
            elif mount.kind == "volume" and service.build and _is_told_of(service, mount):
                found.setdefault(mount.source, (service, Product(f"data in {mount.source}", "files"), mount))
    return list(found.values())


def is_of_users_files(mount: Mount) -> bool:
    """Whether a mount, by its folder or its volume, is where an application keeps what users gave it."""
    return bool(_FILES.search(mount.target) or _FILES_BY_VOLUME.search(mount.source))


def _is_told_of(service: Service, mount: Mount) -> bool:
    """Whether a program is told by a variable to keep its data in a volume that is called after data."""
    named = _OF_DATA.search(mount.source) and not _MADE_AGAIN.search(f"{mount.source} {mount.target}")
    told = ((entry.name, entry.value.text) for entry in service.environment if entry.value is not None)
    return bool(named) and any(
        _PLACE.search(name) and not _MADE_AGAIN.search(f"{name} {text}") and mounts.is_below(text, mount.target)
        for name, text in told
    )


def applications(inventory: Inventory, project: Project) -> list[tuple[Service, Product, Mount]]:
    """The mounts in which applications of others keep what their users gave them, each with the service."""
    found: list[tuple[Service, Product, Mount]] = []
    for service in inventory.services_of(project.name).values():
        image = service.image if service.build is None else services.built_from(inventory, service)[0]
        name, homes = data_folders.application(image)
        mine = [mount for mount in lasting(service) if mount.target.rstrip("/") in homes]
        found += [
            (service, Product(name, "files" if name in _OF_OPERATORS else "application"), mount) for mount in mine[:1]
        ]
    return found


def monitoring_data(inventory: Inventory, project: Project) -> list[tuple[Service, Product, Mount]]:
    """The named volumes in which the monitoring of a project keeps metrics, logs, dashboards and silences."""
    found = (
        (service, services.product(inventory, service)) for service in inventory.services_of(project.name).values()
    )
    return [
        (service, kind, mount)
        for service, kind in found
        if kind and kind.kind in services.OBSERVABILITY
        for mount in lasting(service)
        if mount.kind == "volume" or (mount.outside and mount.target.rstrip("/") in _OF_MONITORING)
        if _is_written(service, mount)
    ]


def _is_written(service: Service, mount: Mount) -> bool:
    """Whether an image of Prometheus writes where a volume is mounted: to its own folder, or to one that it is told."""
    home = next((folder for name, folder in _HOMES.items() if f"/{name}" in f"/{service.image}"), mount.target)
    told = any(mount.target.rstrip("/") in word for word in service.command)
    return told or mounts.is_below(mount.target, home) or mounts.is_below(home, mount.target)
