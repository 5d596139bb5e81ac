"""An application logs in to its database as the superuser.

Whoever gets a statement past the application reads and changes each database of the server, switches off triggers and
row security, and in PostgreSQL runs programs in the database's container (`COPY … FROM PROGRAM`).

Anti-pattern:

    services:
      postgres:
        image: postgres:17.2
        environment: {POSTGRES_USER: shop, POSTGRES_DB: shop}    # shop is a superuser
      api:
        build: ./api
        environment: {DATABASE_URL: "postgresql://shop:${DB_PASSWORD}@postgres/shop"}

Better:

    -- once, as the superuser
    CREATE ROLE shop_app LOGIN PASSWORD '…';
    ALTER DATABASE shop OWNER TO shop_app;

Recommendation:

    Let the application log in as a role of its own that owns its database and nothing else.

References:

- https://hub.docker.com/_/postgres
- https://www.postgresql.org/docs/current/role-attributes.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import stages
from auditlib.conventions import database_logins, environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed, specified
from auditlib.rules._rule import Evidence, rule

_LOGIN = regex(
    r"^\w[\w+:]*://(?P<user>\w+|‹[^›\n]{1,80}›):[^@\n]{0,200}@(?P<host>[\w-]+)(?::\d+)?(?:/(?P<database>[\w-]*))?(?=[?]|$)"
)
_PART = regex(
    r"(?:^|;)\s*(?P<key>host|server|data source|username|user id|userid|uid|user|database)\s*=\s*"
    r"(?P<value>[\w.-]+|‹[^›\n]{1,80}›)",
    re.I,
)
"""The host, the user and the database in a connection string of ADO.NET (`Host=db;Username=shop;…`)."""
_JDBC = regex(r"^jdbc:(?:postgresql|mysql|mariadb)://(?P<host>[\w-]+)(?=[:/?]|$)")
_ADDRESS = regex(r"(?:^|_)(?:URL|URI)$")
_USER = regex(r"(?:^|_)(?:USER|USERNAME)$")
_HOST = regex(r"(?:^|_)(?:HOST|HOSTNAME|SERVER)$")
_KEYS = {"host": "host", "server": "host", "data source": "host", "database": "database"}
"""What the keys of such a string mean; every other one that is looked for is a user."""
_SEVERAL = 3
"""Databases of one server from which on each application is meant to have its own."""
_SQL = {
    "POSTGRES": "CREATE ROLE {app} LOGIN PASSWORD '…';\nALTER DATABASE {database} OWNER TO {app};",
    "MYSQL": "CREATE USER '{app}' IDENTIFIED BY '…';\nGRANT ALL ON {database}.* TO '{app}';",
}


_ROOTS = {
    "MinIO": frozenset({"MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY"}),
    "MongoDB": frozenset({"MONGO_INITDB_ROOT_PASSWORD"}),
    "PostgreSQL": frozenset({"POSTGRES_USER"}),
}
"""By product the variables of the image that hold its administrator's password, or the name where it says who it is."""
_MONGO_USER = "MONGO_INITDB_ROOT_USERNAME"
_OWN_LOGIN = {
    "MinIO": "mc admin user add <alias> {app} '<a key of its own>'\n"
    "mc admin policy attach <alias> readwrite --user {app}",
    "PostgreSQL": "CREATE ROLE {app} LOGIN PASSWORD '…';\nALTER DATABASE <its database> OWNER TO {app};",
    "MongoDB": "use <the database>\ndb.createUser({{user: '{app}', pwd: passwordPrompt(), roles: ['readWrite']}})",
}


class _Use(Struct, frozen=True):
    """A variable by which a service is given a login, and the database that it names, if it does."""

    service: Service
    entry: EnvironmentEntry
    database: str


@rule(area=Area.CONFIGURATION, severity=Severity.INFO, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each database server with the applications of the repository that use its superuser."""
    found: defaultdict[str, list[_Use]] = defaultdict(list)
    servers = dict(_servers(inventory))
    for service in inventory.deployed_services if servers else ():
        if _is_own(inventory, service) and not environments.is_for_developers(inventory, service):
            for entry, login in _logins(service):
                other = inventory.services_of(service.project).get(login.host)
                made = servers.get(other.key) if other else None
                if other and made and _is_superuser(made, entry, login.user):
                    found[other.key].append(_Use(service, entry, login.database))
                    break
    alike: dict[tuple[str, tuple[str, ...]], list[Service]] = {}
    for server in sorted(inventory.deployed_services, key=lambda item: not stages.names_production(item.location.file)):
        if server.key in found:
            alike.setdefault((server.name, tuple(use.service.name for use in found[server.key])), []).append(server)
    for first, *others in alike.values():
        yield _evidence(first, found[first.key], [use for other in others for use in found[other.key][:1]])
    yield from _of_administrators(inventory)


def _of_administrators(inventory: Inventory) -> Iterator[Evidence]:
    """The stores whose administrator's password the applications of the repository are given as well."""
    for server in inventory.deployed_services:
        product = services.product(inventory, server)
        root = _root(server, product.name) if product and product.name in _ROOTS else None
        uses = list(_given(inventory, server, root)) if root else []
        if product and root and uses and not environments.is_for_developers(inventory, server):
            yield _of_administrator(server, product.name, root, uses)


def _root(server: Service, product: str) -> EnvironmentEntry | None:
    """The variable; of PostgreSQL only where no file says its value, as the login itself tells otherwise."""
    found = next((item for item in server.environment if item.name in _ROOTS[product]), None)
    known = found is not None and found.value is not None and bool(found.value.text)
    return None if product == "PostgreSQL" and known else found


def _given(inventory: Inventory, server: Service, root: EnvironmentEntry) -> Iterator[_Use]:
    """The applications that get the same variable or the same value, or an address of it with its administrator.

    A weak value that two stores have in common tells of neither.
    """
    identity = root.value.identity if root.value and not _is_shared(inventory, server, root) else 0
    user = _administrator(server)
    for service in inventory.services_of(server.project).values():
        if _is_own(inventory, service) and not services.is_one_shot(service):
            for entry in service.environment:
                same = bool(identity) and entry.value is not None and entry.value.identity == identity
                named = bool(user) and _names(entry, user, server.name)
                if same or named or set(root.variables) & set(entry.variables):
                    yield _Use(service, entry, "")
                    break


def _is_shared(inventory: Inventory, server: Service, root: EnvironmentEntry) -> bool:
    """Whether another store of the project is given the same value."""
    value = root.value
    return value is not None and any(
        entry.value is not None and entry.value.identity == value.identity
        for other in inventory.services_of(server.project).values()
        if other.name != server.name and (found := services.product(inventory, other)) and found.kind == "datastore"
        for entry in other.environment
    )


def _administrator(server: Service) -> str:
    """The name of MongoDB's administrator, if it is told in words."""
    names = (entry.value.text for entry in server.environment if entry.name == _MONGO_USER and entry.value)
    return next((name for name in names if re.fullmatch(r"\w+", name)), "")


def _names(entry: EnvironmentEntry, user: str, host: str) -> bool:
    """Whether an entry is an address of a host with a user's login."""
    match = _LOGIN.match(entry.value.text) if entry.value else None
    return match is not None and (match["user"], match["host"]) == (user, host)


def _who(product: str) -> str:
    return "superuser" if product == "PostgreSQL" else "administrator"


def _of_administrator(server: Service, product: str, root: EnvironmentEntry, uses: list[_Use]) -> Evidence:
    first, *others = uses
    names = listed(use.service.name for use in uses)
    return Evidence(
        f"{names} {'is' if not others else 'are'} given the login of the {_who(product)} of "
        f"{specified(server.name, product)}, by {root.name}.",
        first.entry.location,
        subject=f"{server.key}/administrator",
        service=first.service.name,
        related=(
            Related(root.location, f"{server.name} makes its {_who(product)} of it"),
            *(Related(use.entry.location, f"{use.service.name} is given it too", member=True) for use in others),
        ),
        recommendation=f"Make a user of {server.name} that may use what {names} {'needs' if not others else 'need'} "
        "and nothing else.",
        example=_OWN_LOGIN[product].format(app=re.sub(r"\W", "_", first.service.name)),
        severity=None if product == "PostgreSQL" else Severity.LOW,
    )


def _is_own(inventory: Inventory, service: Service) -> bool:
    """Whether a service runs the repository's own software: built here, or an image that a variable names."""
    built = service.build is not None or (service.project, service.image) in inventory.image_builders
    return built or service.image.startswith("${")


def _servers(inventory: Inventory) -> Iterator[tuple[str, database_logins.Server]]:
    """The servers whose superuser is known, by their keys."""
    for service in inventory.deployed_services:
        made = database_logins.made_by(service)
        if made:
            yield service.key, made


def _is_superuser(server: database_logins.Server, entry: EnvironmentEntry, user: str) -> bool:
    """Whether a user is the superuser; one whose name is masked is if the same variable names both."""
    if server.prefix != "POSTGRES":
        return user == "root"
    shared = server.user is not None and set(server.user.variables) & set(entry.variables)
    return user in server.users or (user.startswith("‹") and bool(shared))


class _Login(Struct, frozen=True):
    """The user and the host of a login, and the database that it is for, if that is told."""

    user: str
    host: str
    database: str = ""


def _logins(service: Service) -> Iterator[tuple[EnvironmentEntry, _Login]]:
    """The users that a service is given for a host, in an address or in variables of their own."""
    told = [(entry, entry.value.text) for entry in service.environment if entry.value and entry.value.text]
    for entry, text in told:
        if match := _LOGIN.match(text):
            yield entry, _Login(match["user"], match["host"], match["database"] or "")
        parts = {_KEYS.get(found["key"].lower(), "user"): found["value"] for found in _PART.finditer(text)}
        if {"host", "user"} <= set(parts):
            yield entry, _Login(parts["user"], parts["host"], parts.get("database", ""))
    hosts = {name.removesuffix(match[0]): text for entry, text in told
             if (match := _HOST.search(name := entry.name))}  # fmt: skip
    hosts |= {name.removesuffix(match[0]): found["host"] for entry, text in told
              if (match := _ADDRESS.search(name := entry.name)) and (found := _JDBC.match(text))}  # fmt: skip
    for entry, text in told:
        match = _USER.search(entry.name)
        host = hosts.get(entry.name.removesuffix(match[0])) if match else None
        if host:
            yield entry, _Login(text, host)


def _evidence(server: Service, uses: list[_Use], elsewhere: list[_Use]) -> Evidence:
    made = database_logins.made_by(server)
    postgres = made is not None and made.prefix == "POSTGRES"
    user = min(made.users) if made and postgres else "root"
    first, *others = uses
    names = listed(use.service.name for use in uses)
    apart = {use.database for use in uses if use.database and "‹" not in use.database}
    several = len(apart) >= _SEVERAL
    home = min(made.databases - {"postgres", "template1"}, default=first.service.name) if made else first.service.name
    database = (first.database or min(apart)) if several else home
    each = ", and one for each other database" if several else ""
    place = made.user.location if made and made.user and postgres else server.location
    sql = _SQL["POSTGRES" if postgres else "MYSQL"].format(app=_role(database), database=_quoted(database, postgres))
    return Evidence(
        f"{names} {'is' if len(uses) == 1 else 'are'} given the login of {user}, the superuser of {server.name}"
        f"{f', for {len(apart)} databases' if several else ''}.",
        first.entry.location,
        subject=server.key,
        service=first.service.name,
        related=(
            Related(place, f"{server.name} makes {user} its superuser"),
            *(Related(use.entry.location, f"{use.service.name} is given it too", member=True) for use in others),
            *(
                Related(use.entry.location, f"{use.service.location.file} has it so too", member=True)
                for use in elsewhere
            ),
        ),
        recommendation=f"Make a role of {server.name} that owns {database} alone{each}, and let "
        f"{'its application' if several else 'applications'} log in with it.",
        example=f"-- for a new {server.name}; tables that are there need the new owner as well\n{sql}",
        severity=None if postgres and not several else Severity.LOW,
    )


def _role(database: str) -> str:
    """A name for the role that owns a database; no role is called as the database, nor has a sign to quote."""
    return "application" if database == "app" else re.sub(r"\W", "_", f"{database.lower()}_app")


def _quoted(database: str, postgres: bool) -> str:
    """A database's name as SQL takes it: quoted unless it is a plain word."""
    if re.fullmatch(r"[a-z_][a-z0-9_]*", database):
        return database
    return f'"{database}"' if postgres else f"`{database}`"
