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

from auditlib.conventions import database_logins, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_LOGIN = regex(r"^\w[\w+:]*://(?P<user>\w+):[^@\n]{0,200}@(?P<host>[\w-]+)(?=[:/?]|$)")
_PART = regex(
    r"(?:^|;)\s*(?P<key>host|server|data source|username|user id|userid|uid|user)\s*=\s*(?P<value>[\w.-]+)", re.I
)
"""The host and the user in a connection string of ADO.NET (`Host=db;Username=shop;…`)."""
_JDBC = regex(r"^jdbc:(?:postgresql|mysql|mariadb)://(?P<host>[\w-]+)(?=[:/?]|$)")
_ADDRESS = regex(r"(?:^|_)(?:URL|URI)$")
_USER = regex(r"(?:^|_)(?:USER|USERNAME)$")
_HOST = regex(r"(?:^|_)(?:HOST|HOSTNAME|SERVER)$")
_HOSTS = frozenset({"host", "server", "data source"})
_SQL = {
    "POSTGRES": "CREATE ROLE {app} LOGIN PASSWORD '…';\nALTER DATABASE {database} OWNER TO {app};",
    "MYSQL": "CREATE USER '{app}' IDENTIFIED BY '…';\nGRANT ALL ON {database}.* TO '{app}';",
}


@rule(area=Area.CONFIGURATION, severity=Severity.INFO, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each database server with the applications, built by the repository, that use its superuser."""
    found: defaultdict[str, list[tuple[Service, EnvironmentEntry]]] = defaultdict(list)
    servers = dict(_servers(inventory))
    for service in inventory.deployed_services if servers else ():
        own = service.build is not None or (service.project, service.image) in inventory.image_builders
        if own and not environments.is_for_developers(inventory, service):
            for entry, user, host in _logins(service):
                other = inventory.services_of(service.project).get(host)
                if other and user in servers.get(other.key, ()):
                    found[other.key].append((service, entry))
                    break
    for server in inventory.deployed_services:
        if server.key in found:
            yield _evidence(server, found[server.key])


def _servers(inventory: Inventory) -> Iterator[tuple[str, frozenset[str]]]:
    """The keys of the servers whose superuser is known, with its name."""
    for service in inventory.deployed_services:
        made = database_logins.made_by(service)
        if made:
            yield service.key, made.users if made.prefix == "POSTGRES" else frozenset({"root"})


def _logins(service: Service) -> Iterator[tuple[EnvironmentEntry, str, str]]:
    """The users that a service is given for a host, in an address or in variables of their own."""
    told = [(entry, entry.value.text) for entry in service.environment if entry.value and entry.value.text]
    for entry, text in told:
        if match := _LOGIN.match(text):
            yield entry, match["user"], match["host"]
        parts = {"host" if found["key"].lower() in _HOSTS else "user": found["value"] for found in _PART.finditer(text)}
        if len(parts) == len({"host", "user"}):
            yield entry, parts["user"], parts["host"]
    hosts = {name.removesuffix(match[0]): text for entry, text in told
             if (match := _HOST.search(name := entry.name))}  # fmt: skip
    hosts |= {name.removesuffix(match[0]): found["host"] for entry, text in told
              if (match := _ADDRESS.search(name := entry.name)) and (found := _JDBC.match(text))}  # fmt: skip
    for entry, text in told:
        match = _USER.search(entry.name)
        host = hosts.get(entry.name.removesuffix(match[0])) if match else None
        if host:
            yield entry, text, host


def _evidence(server: Service, uses: list[tuple[Service, EnvironmentEntry]]) -> Evidence:
    made = database_logins.made_by(server)
    postgres = made is not None and made.prefix == "POSTGRES"
    user = min(made.users) if made and postgres else "root"
    (first, entry), *others = uses
    names = listed(service.name for service, _ in uses)
    database = min(made.databases - {"postgres", "template1"}, default=first.name) if made else first.name
    place = made.user.location if made and made.user and postgres else server.location
    app = "application" if database == "app" else re.sub(r"\W", "_", f"{database.lower()}_app")
    quoted = (
        database if re.fullmatch(r"[a-z_][a-z0-9_]*", database) else f'"{database}"' if postgres else f"`{database}`"
    )
    sql = _SQL["POSTGRES" if postgres else "MYSQL"].format(app=app, database=quoted)
    return Evidence(
        f"{names} {'is' if len(uses) == 1 else 'are'} given the login of {user}, the superuser of {server.name}.",
        entry.location,
        subject=server.key,
        service=first.name,
        related=(
            Related(place, f"{server.name} makes {user} its superuser"),
            *(Related(item.location, f"{service.name} is given it too", member=True) for service, item in others),
        ),
        recommendation=f"Make a role of {server.name} that owns {database} alone, and let applications log in with it.",
        example=f"-- for a new {server.name}; tables that are there need the new owner as well\n{sql}",
        severity=None if postgres else Severity.LOW,
    )
