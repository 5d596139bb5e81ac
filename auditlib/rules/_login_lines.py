"""What else has to change with the password of a database: its volume, and the places that hold the value too."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from auditlib.conventions import environments, kept_data, secrets, services
from auditlib.conventions.secrets import Sighting
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import EnvLine
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.redaction import Value, is_credential_name
from auditlib.rules import _compose_lines as compose_lines

_DISTINCT = 8
"""Characters from which two equal values are hardly equal by chance."""
_HOST = frozenset({"localhost", "127.0.0.1"})
_SERVER = regex(r"(?:^|;)\s*(?:server|host|data source)\s*=\s*(?:tcp:)?([\w.-]+)", re.I)
_BEFORE_TEN = regex(r":v?[1-9]\.")
"""Releases of Grafana whose program for administrators is one of its own."""
_HOME_OF_GRAFANA = "/var/lib/grafana"
_TOLD = (
    "# a volume that is there keeps the old password: change it there first, with the new one, of letters and digits, "
    "in the shell's {}"
)
_POSTGRES = (
    """echo "ALTER USER CURRENT_USER PASSWORD :'new'" | {compose} exec -T -e NEW="${new}" {service} """
    """sh -c 'psql -U "${{POSTGRES_USER:-postgres}}" -d postgres -v new="$NEW"'"""
)
_MYSQL = (
    """echo "SET PASSWORD = '${new}'" | {compose} exec -T {service} """
    """sh -c 'mysql -u"${prefix}_USER" -p"${prefix}_PASSWORD"'"""
)
_MARIADB = (
    """echo "SET PASSWORD = PASSWORD('${new}')" | {compose} exec -T {service} """
    """sh -c 'mariadb -u"${prefix}_USER" -p"${prefix}_PASSWORD"'"""
)
"""MariaDB takes what isn't in `PASSWORD()` for a hash, and leaves `ALTER USER` to those who may make users."""
_MYSQL_ROOT = (
    """echo "ALTER USER IF EXISTS root@localhost IDENTIFIED BY '${new}', root@'%' IDENTIFIED BY '${new}'" | """
    """{compose} exec -T {service} sh -c '{client} -uroot -p"${prefix}_ROOT_PASSWORD"'"""
)
_MONGO = (
    """{compose} exec -e NEW="${new}" {service} sh -c 'mongosh admin -u "$MONGO_INITDB_ROOT_USERNAME" """
    """-p "$MONGO_INITDB_ROOT_PASSWORD" --eval """
    """"db.changeUserPassword(process.env.MONGO_INITDB_ROOT_USERNAME, process.env.NEW)"'"""
)
_GRAFANA = """{compose} exec -T {service} {client} admin reset-admin-password "${new}\""""
_RABBITMQ = (
    """{compose} exec -T -e NEW="${new}" {service} sh -c """
    """'rabbitmqctl change_password "${{RABBITMQ_DEFAULT_USER:-guest}}" "$NEW"'"""
)
_BY_VARIABLE = {
    "POSTGRES_PASSWORD": (_POSTGRES, _POSTGRES),
    "MYSQL_PASSWORD": (_MYSQL, _MARIADB), "MARIADB_PASSWORD": (_MYSQL, _MARIADB),
    "MYSQL_ROOT_PASSWORD": (_MYSQL_ROOT, _MYSQL_ROOT), "MARIADB_ROOT_PASSWORD": (_MYSQL_ROOT, _MYSQL_ROOT),
    "MONGO_INITDB_ROOT_PASSWORD": (_MONGO, _MONGO),
    "GF_SECURITY_ADMIN_PASSWORD": (_GRAFANA, _GRAFANA), "RABBITMQ_DEFAULT_PASS": (_RABBITMQ, _RABBITMQ),
}  # fmt: skip
"""By what an image reads at its first start only: how a running server takes a new password, and how a MariaDB does."""


def is_of_server(name: str) -> bool:
    """Whether an image takes the password of its own server by this name; by any other a client takes it."""
    return name in _BY_VARIABLE


def with_kept(
    lines: str,
    inventory: Inventory,
    names: Collection[str],
    values: Iterable[Value] = (),
    among: Sequence[Service] | None = None,
    called: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """These lines and, if databases with a volume get one of the variables or values, how they take a new password.

    `called` has by service the variable that is to hold it, where that is another one than today's.
    """
    told_of = list(values)
    identities = [value.identity for value in told_of if _is_distinct(value)]
    ordered = sorted(names) if isinstance(names, set | frozenset) else names  # the same at each audit
    keys: tuple[str | int, ...] = (*ordered, *identities)
    given = _with_one_of(inventory, told_of, [pair for key in keys for pair in _keepers(inventory).get(key, ())])
    chosen = None if among is None else {item.key for item in among}
    found = [
        (service, entry, called.get(service.name) or _shell(entry))
        for service, entry in {(service.key, entry.name): (service, entry) for service, entry in given}.values()
        if chosen is None or service.key in chosen
    ]
    told = [_TOLD.format(listed(variable for _, _, variable in found))] if found else []
    return "\n".join((lines, *told, *dict.fromkeys(_command(inventory, *each) for each in found)))


def _with_one_of(
    inventory: Inventory, values: list[Value], given: list[tuple[Service, EnvironmentEntry]]
) -> list[tuple[Service, EnvironmentEntry]]:
    """Those that hold one of the values, where any does: another edition that gets its own needs no new one.

    What stands in a script or a file of variables may be what the other edition gets.
    """
    known = {value.identity for value in values}
    held = [pair for pair in given if pair[1].value is not None and pair[1].value.identity in known]
    if len(held) in (0, len(given)):
        return given
    fixed = (item for item in secrets.sightings(inventory) if item.kind in ("file", "env_file"))
    spread = any(item.value.identity in known and not item.replaceable for item in fixed)
    return given if spread else held


def _keepers(inventory: Inventory) -> dict[str | int, list[tuple[Service, EnvironmentEntry]]]:
    """The databases with a volume by the names and the value of each variable that only their first start reads."""
    known = inventory.keepers
    if not known:
        known[""] = []
        for service in inventory.distinct_services:
            entries = [entry for entry in service.environment if entry.name in _BY_VARIABLE]
            if entries and _keeps_logins(inventory, service):
                for entry in entries:
                    keys: set[str | int] = {entry.name, *entry.variables}
                    for key in keys | ({entry.value.identity} if entry.value else set()):
                        known.setdefault(key, []).append((service, entry))
    return known


def _keeps_logins(inventory: Inventory, service: Service) -> bool:
    """Whether a volume holds what a service has been told at its first start; Grafana's is its whole folder."""
    found = services.product(inventory, service)
    if found is not None and found.name == "Grafana":
        return any(mount.target.rstrip("/") == _HOME_OF_GRAFANA for mount in kept_data.lasting(service))
    return kept_data.keeps_data(service, found) is not None


def _is_distinct(value: Value) -> bool:
    return value.secret and value.length >= _DISTINCT and not value.weak and not value.placeholder


def _shell(entry: EnvironmentEntry) -> str:
    """The variable that has the new password: the one from which Compose takes it."""
    return entry.variables[0] if len(entry.variables) == 1 else entry.name


def _command(inventory: Inventory, service: Service, entry: EnvironmentEntry, variable: str) -> str:
    usual, of_mariadb = _BY_VARIABLE[entry.name]
    is_mariadb = "mariadb" in service.image
    client = "mariadb" if is_mariadb else "mysql"
    if entry.name.startswith("GF_"):
        client = "grafana-cli" if _BEFORE_TEN.search(service.image) else "grafana cli"
    return (of_mariadb if is_mariadb else usual).format(
        new=variable, service=shlex.quote(service.name), client=client,
        prefix=entry.name.partition("_")[0], compose=compose_lines.call(inventory, service.project),
    )  # fmt: skip


def elsewhere(
    inventory: Inventory, name: str, value: Value, reached: Sequence[Service], known: Collection[Location]
) -> tuple[Sighting, ...]:
    """Where else the value stands by itself, so that whoever reads it there goes on with the old one."""
    projects, hosts = {item.project for item in reached}, {item.name for item in reached}
    entries = [
        Sighting(entry.name, value, entry.location, "literal", service.name)
        for service in inventory.distinct_services
        for entry in service.environment
        if service.project in projects and _is_the_same(entry, name, value, hosts)
    ]
    seen = {(place.file, place.line) for place in known}
    found: dict[tuple[str, int], Sighting] = {}
    called = _in_commands(inventory, value, projects, hosts)
    for item in (*entries, *called, *_in_templates(inventory, value, hosts), *_in_other_files(inventory, value)):
        spot = (item.location.file, item.location.line)
        if spot not in seen:
            found.setdefault(spot, item)
    return tuple(found.values())


def _in_commands(inventory: Inventory, value: Value, projects: set[str], hosts: set[str]) -> Iterator[Sighting]:
    """Commands and health checks that log in with it: of the services themselves, or such as name one of them."""
    for service in inventory.distinct_services:
        if service.project not in projects:
            continue
        check = service.healthcheck.commands if service.healthcheck else ()
        for part, commands in (("command", service.commands), ("healthcheck", check)):
            for command in () if _takes_credential(inventory, service, part) else commands:
                named = service.name in hosts or any(_names(command.words, host) for host in hosts)
                if named and any(_is_given(word, value) for word in command.words):
                    yield Sighting(f"the {part} of {service.name}", value, command.location, "command", service.name)


def _takes_credential(inventory: Inventory, service: Service, part: str) -> bool:
    """Whether Compose puts a credential into a command, so that the value stands nowhere there."""
    homes = [f"services.{service.name}.{part}"]
    homes += [f"services.{service.name}.entrypoint"] if part == "command" else []
    own = inventory.variables_of.get((service.project, service.name), ())
    return any(is_credential_name(item.name) and item.target.startswith(tuple(homes)) for item in own)


def _names(words: Sequence[str], host: str) -> bool:
    return any(re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", word) for word in words)


def _is_given(word: str, value: Value) -> bool:
    """Whether a word is the value, perhaps behind an option; a whole script is none, its commands are told of."""
    return value.text in word and not re.search(r"\s", word.replace(value.text, ""))


def _in_templates(inventory: Inventory, value: Value, hosts: set[str]) -> Iterator[Sighting]:
    """Addresses of these services in templates, or of their ports on the host: who copies one goes on with the
    password that it holds.
    """
    meant = hosts | _HOST if secrets.is_distinct(value) and not value.placeholder else hosts
    for line in _addresses_in_templates(inventory).get(value.identity, ()):
        if line.value and any(end.host in meant for end in line.endpoints):
            yield Sighting(line.name, line.value, line.location, "template")


@answered_once
def _addresses_in_templates(inventory: Inventory) -> dict[int, list[EnvLine]]:
    """By their value."""
    found: defaultdict[int, list[EnvLine]] = defaultdict(list)
    for file in inventory.env_files:
        for line in file.lines if file.template else ():
            if line.value and line.endpoints and not line.commented:
                found[line.value.identity].append(line)
    return found


def _in_other_files(inventory: Inventory, value: Value) -> Iterator[Sighting]:
    """Files beside Compose's own that hold a value which is hardly equal by chance, beside stand-ins for a variable."""
    if value.placeholder or not secrets.is_distinct(value):
        return
    same = [item for item in secrets.sightings(inventory) if item.value.identity == value.identity]
    stand_ins = {(item.location.file, item.location.line) for item in same if item.replaceable}
    for item in same:
        aside = item.kind == "template" or environments.is_aside(item.location.file)
        if not aside and (item.location.file, item.location.line) not in stand_ins and item.kind != "literal":
            yield item


def hosts_of(entry: EnvironmentEntry) -> set[str]:
    """The hosts that an entry names as an address, or as the server of a connection string (`Server=db;…`)."""
    text = entry.value.text if entry.value else ""
    return {end.host for end in entry.endpoints} | {match[1] for match in _SERVER.finditer(text)}


def _is_the_same(entry: EnvironmentEntry, name: str, value: Value, hosts: set[str]) -> bool:
    """Whether an entry holds the same secret: by its name, by the service that it opens, or as few values are equal.

    An address is masked as a whole if its password is its user's name too.
    """
    if entry.variables or entry.value is None or secrets.is_public(entry.name):
        return False
    opens = not hosts.isdisjoint(hosts_of(entry))
    if opens and entry.value.text.startswith("‹secret"):
        return True
    return entry.value.identity == value.identity and (opens or entry.name == name or _is_distinct(value))
