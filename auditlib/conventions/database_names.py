"""Which databases services are given, and which one a server makes at its first start, by Compose and by templates.

A password says nothing of either, so that addresses are read whose login only variables hold. Where Compose passes a
variable on and no file sets it, what the templates give it is what people have.
Sources: https://hub.docker.com/_/postgres, https://hub.docker.com/_/mysql, https://hub.docker.com/_/mariadb.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import images
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex

_ADDRESS = regex(
    r"^(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb)(?:\+\w+)?://(?:[^@/\n]{0,200}@)?(?P<host>[\w.-]+)(?::\d+)?/"
    r"(?P<database>[\w-]+)(?:[?].*)?$"
)
_NAMES = ("_NAME", "_DATABASE", "_DB", "_DB_NAME", "_DBNAME", "_DATABASE_NAME", "DATABASE")
_HOSTS = ("_HOST", "_HOSTNAME", "_SERVER", "HOST")
_OF_SERVER = {
    "postgres": ("POSTGRES_DB", "POSTGRES_USER"), "mysql": ("MYSQL_DATABASE",),
    "mariadb": ("MARIADB_DATABASE", "MYSQL_DATABASE"),
}  # fmt: skip
"""By image the variables that name the database, the first that is given."""
_PLAIN = regex(r"[A-Za-z_][\w-]*")


class Named(Struct, frozen=True):
    """A database that a service is given, with the host of its server."""

    entry: EnvironmentEntry
    host: str
    database: str


def named(inventory: Inventory, service: Service) -> Iterator[Named]:
    """The databases in addresses, and in variables beside that of a host (`DB_HOST`, `DB_NAME`)."""
    texts = {entry.name: (entry, text(inventory, entry)) for entry in service.environment}
    for entry, value in texts.values():
        if match := _ADDRESS.match(value):
            yield Named(entry, match["host"], match["database"])
    hosts = {name.removesuffix(end): value.partition(":")[0] for name, (_, value) in texts.items() for end in _HOSTS
             if name.endswith(end)}  # fmt: skip
    for name, (entry, value) in texts.items():
        ends = (name.removesuffix(end) for end in _NAMES if name.endswith(end))
        host = next((hosts[stem] for stem in ends if stem in hosts), "")
        if host and _PLAIN.fullmatch(value):
            yield Named(entry, host, value)


def made(inventory: Inventory, server: Service) -> EnvironmentEntry | None:
    """The variable that names the database which the first start of a server makes; None where that isn't known."""
    image = images.repository(server.image) if server.build is None else ""
    given = {item.name: item for item in server.environment}
    wanted = _OF_SERVER.get(image, ())
    if any(f"{name}_FILE" in given for name in wanted):
        return None
    return next((given[name] for name in wanted if name in given), None)


def text(inventory: Inventory, entry: EnvironmentEntry) -> str:
    """The value of a variable; of one that another one alone makes, and that no file sets, that of the templates."""
    value = entry.value.text if entry.value else ""
    if value or len(entry.variables) != 1:
        return value
    found = {line.value.text for file in inventory.env_files if file.template for line in file.lines
             if line.name == entry.variables[0] and line.value and not line.commented}  # fmt: skip
    return found.pop() if len(found) == 1 else ""
