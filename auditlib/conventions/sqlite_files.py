"""Where an application keeps a SQLite file of its own: in a mount that its address leads to, or in a folder for data.

Sources: https://www.sqlite.org/whentouse.html, and the packages by which each language opens such a file.
"""

from __future__ import annotations

import posixpath

from auditlib.conventions import environments, kept_data, mounts, programs, services
from auditlib.conventions.images import Product
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.paths import below
from auditlib.patterns import regex

_FILE = Product("SQLite", "files")
_URL = regex(r"(?:sqlite(?:\+\w+)?:///|file:)(?P<path>/[^?\s]+)")
_ADDRESS = regex(r"sqlite3?(?:\+\w+)?:/")
_FOLDER = regex(r"(?:^|/)(?:data|db|database|databases|sqlite|storage|state|[\w-]+\.(?:db|sqlite3?))$")
_DRIVERS = frozenset({
    "aiosqlite", "better-sqlite3", "sqlite3", "sqlite", "github.com/mattn/go-sqlite3", "modernc.org/sqlite",
    "gorm.io/driver/sqlite", "github.com/glebarez/sqlite",
})  # fmt: skip
_OTHERS = regex(r"asyncpg|psycopg|^pg$|postgres|mysql|mariadb|mongo|mssql|oracle|redis-om|pgx|lib/pq")
"""Drivers of other databases, beside which SQLite is for tests or for a laptop."""


def kept(inventory: Inventory, project: Project) -> list[tuple[Service, Product, Mount]]:
    """The services of a project that keep a SQLite file in a lasting mount, with what it is and the mount."""
    found = []
    for service in inventory.services_of(project.name).values():
        if services.product(inventory, service) is None:
            mine = (item for item in kept_data.lasting(service) if _holds_file(inventory, service, item))
            found += [(service, _FILE, item) for item in mine][:1]
    return found


def _holds_file(inventory: Inventory, service: Service, mount: Mount) -> bool:
    texts = (entry.value.text for entry in service.environment if entry.value is not None)
    urls = [match["path"] for text in texts for match in _URL.finditer(text) if "sqlite" in text or ".db" in text]
    if urls:
        return any(mounts.is_below(path, mount.target) for path in urls)
    return bool(_FOLDER.search(mount.target)) and not _brings(inventory, mount) and _opens(inventory, service)


def _brings(inventory: Inventory, mount: Mount) -> bool:
    """Whether a mounted folder is one of the repository, with its files."""
    source = posixpath.normpath(mount.source) if mount.source else "."
    return mount.kind == "bind" and not mount.outside and (source == "." or bool(list(below(inventory.files, source))))


def _opens(inventory: Inventory, service: Service) -> bool:
    """Whether the code that a service is built from has a driver for SQLite, and none for another database."""
    if service.build is None or service.build.outside:
        return False
    context = posixpath.normpath(service.build.context or ".")
    paths = set(below(sorted(item.path for item in inventory.manifests), context))
    mine = [item for item in inventory.manifests if item.path in paths]
    names = {need.name for item in mine for need in item.requirements if need.group == "main"}
    return not names.isdisjoint(_DRIVERS) and not any(map(_OTHERS.search, names))


def falls_back(setting: Setting) -> bool:
    """Whether a program that isn't given the address of its database takes a file of SQLite."""
    aside = environments.is_for_development(setting.location.file) or programs.is_aside(setting)
    return not aside and setting.default is not None and bool(_ADDRESS.search(setting.default.text))
