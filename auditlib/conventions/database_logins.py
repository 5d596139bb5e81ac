"""Which users and databases the official images of databases make at their first start.

Sources: https://hub.docker.com/_/postgres, https://hub.docker.com/_/mysql, https://hub.docker.com/_/mariadb.
"""

from __future__ import annotations

from msgspec import Struct

from auditlib.conventions import images, init_scripts, mounts
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Mount, Service

_PREFIXES = {"postgres": ("POSTGRES",), "mysql": ("MYSQL",), "mariadb": ("MARIADB", "MYSQL")}
_FROM_FILE = ("_USER_FILE", "_DB_FILE", "_DATABASE_FILE")


_READ = (".sql", ".sh")


def makes_others(inventory: Inventory, service: Service) -> bool:
    """Whether scripts of the first start make users or databases too, or nobody knows what they do."""
    given = [mount for mount in service.mounts if mount.target.startswith(init_scripts.FOLDER)]
    return any(_may_make(inventory, mount) for mount in given)


def _may_make(inventory: Inventory, mount: Mount) -> bool:
    held = [path for path in inventory.files if mounts.is_below(path, mount.source)] if mount.kind == "bind" else []
    unknown = mount.outside or not held or not all(path.endswith(_READ) for path in held)
    making = {item.location.file for item in inventory.made_logins}
    return unknown or not making.isdisjoint(held)


class Server(Struct, frozen=True):
    """What a database's first start makes; empty where its variables don't tell."""

    service: Service
    users: frozenset[str]
    databases: frozenset[str]
    password: int
    """The identity of the user's password; 0 where it isn't known."""
    prefix: str
    """What the names of its variables begin with."""
    user: EnvironmentEntry | None


def made_by(service: Service) -> Server | None:
    """What an official image makes by the variables that Compose shows; None where files or other variables tell."""
    name = images.repository(service.image) if service.build is None else ""
    given = {item.name: item for item in service.environment}
    of_image = [key for key in given if key.startswith(_PREFIXES.get(name, ()))]
    user, password = (_first(given, name, key) for key in ("USER", "PASSWORD"))
    database = _first(given, name, "DB" if name == "postgres" else "DATABASE")
    blank = any(item is not None and not _text(item) for item in (user, database))
    if blank or not of_image or any(key.endswith(_FROM_FILE) for key in of_image):
        return None
    own = _text(user) or ("postgres" if name == "postgres" else "")
    made = _text(database) or (own if name == "postgres" else "")
    return Server(
        service,
        frozenset({own, "" if name == "postgres" else "root"}) - {""},
        frozenset({made, *(("postgres", "template1") if name == "postgres" else ())}) - {""},
        password.value.identity if password and password.value and password.value.secret else 0,
        (user or password or given[of_image[0]]).name.partition("_")[0],
        user or database,
    )


def _first(given: dict[str, EnvironmentEntry], image: str, key: str) -> EnvironmentEntry | None:
    """The variable of an image, by the first of its spellings that is given."""
    return next((given[name] for prefix in _PREFIXES.get(image, ()) if (name := f"{prefix}_{key}") in given), None)


def _text(entry: EnvironmentEntry | None) -> str:
    return entry.value.text if entry and entry.value else ""
