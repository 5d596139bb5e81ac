"""What else has to change with the password of a database: its volume, and the places that hold the value too."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence

from auditlib.conventions import services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Location
from auditlib.redaction import Value

_DISTINCT = 8
"""Characters from which two equal values are hardly equal by chance."""
_TOLD = "# a volume that is there keeps the old password: change it there first, with the new one in the shell's {}"
_POSTGRES = (
    """echo "ALTER USER CURRENT_USER PASSWORD :'new'" | docker compose exec -T -e NEW="${new}" {service} """
    """sh -c 'psql -U "${{POSTGRES_USER:-postgres}}" -d postgres -v new="$NEW"'"""
)
_MYSQL = (
    """echo "ALTER USER CURRENT_USER() IDENTIFIED BY '${new}'" | docker compose exec -T {service} """
    """sh -c '{client} -u"${prefix}_USER" -p"${prefix}_PASSWORD"'"""
)
_MYSQL_ROOT = (
    """echo "ALTER USER IF EXISTS root@localhost IDENTIFIED BY '${new}', root@'%' IDENTIFIED BY '${new}'" | """
    """docker compose exec -T {service} sh -c '{client} -uroot -p"${prefix}_ROOT_PASSWORD"'"""
)
_MONGO = (
    """docker compose exec -e NEW="${new}" {service} sh -c 'mongosh admin -u "$MONGO_INITDB_ROOT_USERNAME" """
    """-p "$MONGO_INITDB_ROOT_PASSWORD" --eval """
    """"db.changeUserPassword(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.NEW)"'"""
)
_BY_VARIABLE = {
    "POSTGRES_PASSWORD": _POSTGRES,
    "MYSQL_PASSWORD": _MYSQL, "MARIADB_PASSWORD": _MYSQL,
    "MYSQL_ROOT_PASSWORD": _MYSQL_ROOT, "MARIADB_ROOT_PASSWORD": _MYSQL_ROOT,
    "MONGO_INITDB_ROOT_PASSWORD": _MONGO,
}  # fmt: skip
"""By what an image reads at its first start only: the command by which a running server takes a new password."""


def kept(inventory: Inventory, names: Collection[str], found: Sequence[Service]) -> str:
    """The commands that change passwords in volumes, for the databases that get these variables."""
    keeping = [item for item in found if services.keeps_data(item, services.product(inventory, item))]
    lines = [
        _command(service, entry, name)
        for service in keeping
        for entry in service.environment
        for name in _used(entry, names)
    ]
    return "\n".join((_TOLD.format(" and ".join(names)), *dict.fromkeys(lines))) if lines else ""


def _used(entry: EnvironmentEntry, names: Collection[str]) -> list[str]:
    """The variables among these by which an image is told the password of its first start."""
    own = [name for name in names if name in (entry.name, *entry.variables)]
    return own[:1] if entry.name in _BY_VARIABLE else []


def _command(service: Service, entry: EnvironmentEntry, name: str) -> str:
    client = "mariadb" if "mariadb" in service.image else "mysql"
    prefix = entry.name.partition("_")[0]
    return _BY_VARIABLE[entry.name].format(new=name, service=shlex.quote(service.name), client=client, prefix=prefix)


def elsewhere(
    inventory: Inventory, name: str, value: Value, reached: Sequence[Service], known: Collection[Location]
) -> Iterator[EnvironmentEntry]:
    """The entries of the same projects that hold a value by themselves, so that they go on with the old one."""
    projects, hosts = {item.project for item in reached}, {item.name for item in reached}
    seen = {(place.file, place.line) for place in known}
    for service in inventory.distinct_services:
        for entry in service.environment if service.project in projects else ():
            spot = (entry.location.file, entry.location.line)
            if spot not in seen and _is_the_same(entry, name, value, hosts):
                seen.add(spot)
                yield entry


def _is_the_same(entry: EnvironmentEntry, name: str, value: Value, hosts: set[str]) -> bool:
    """Whether an entry holds the same secret: by its name, by the service that it opens, or as few values are equal."""
    if entry.variables or entry.value is None or entry.value.identity != value.identity:
        return False
    opens = any(end.host in hosts for end in entry.endpoints)
    return opens or entry.name == name or (value.length >= _DISTINCT and not value.weak and not value.placeholder)
