"""An address of a database has another login or database than the server makes.

The image of a database makes one user and one database when it first starts, by its own variables. A program whose
address names another is refused, though each file for itself looks right.

Anti-pattern:

    services:
      api:
        environment:
          DATABASE_URL: postgresql://shop:${DB_PASSWORD}@db:5432/shop
      db:
        image: postgres:16
        environment:
          POSTGRES_USER: app
          POSTGRES_DB: shop
          POSTGRES_PASSWORD: ${DB_PASSWORD}

Better:

    services:
      api:
        environment:
          DATABASE_URL: postgresql://app:${DB_PASSWORD}@db:5432/shop

Recommendation:

    Take both from the same variables.

References:

- https://hub.docker.com/_/postgres
- https://hub.docker.com/_/mysql
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import database_logins, deployment, services
from auditlib.conventions.database_logins import Server
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_ADDRESS = regex(
    r"^(?:(?:jdbc:)?(?P<scheme>postgres(?:ql)?|mysql|mariadb)(?:\+\w+)?://)?(?P<login>(?P<user>\w+)(?::(?!//)[^@\n]{0,200})?)@"
    r"(?:tcp\()?(?P<host>[\w.-]+)(?::\d+)?\)?/(?P<database>[\w-]+)(?:[?].*)?$"
)
"""A URL, or what Go's driver for MySQL takes (https://github.com/go-sql-driver/mysql#dsn-data-source-name)."""
_MAKES = regex(r"\bcreate\s+(?:user|role|database)\b|\bcreate(?:user|db)\b", re.I)
_FIRST_START = "# made at the first start only: in a volume that is there, make both by hand"


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every address in a service's environment whose user, password or database its server doesn't make."""
    if _makes_others(inventory):
        return
    for service in inventory.distinct_services:
        for entry in service.environment:
            match = _ADDRESS.match(entry.value.text) if entry.value and "@" in entry.value.text else None
            other = inventory.services_of(service.project).get(match["host"]) if match else None
            server = database_logins.made_by(other) if other else None
            if match and server and other and not _is_open(inventory, other):
                wrong = _wrong(entry, match["user"], match["database"], server)
                if wrong and not (_is_of_database(wrong) and _makes_its_own(inventory, service)):
                    yield _evidence(service, entry, server, wrong, _lines(service, entry, server, match))


def _makes_others(inventory: Inventory) -> bool:
    """Whether a command of the repository makes users or databases."""
    commands = (*deployment.commands(inventory), *(item for other in inventory.services for item in other.commands))
    return any(_MAKES.search(word) for command in commands for word in command.words)


def _is_open(inventory: Inventory, service: Service) -> bool:
    """Whether more users may be made: by scripts of the first start, files that aren't there, an older volume."""
    external = {item.name for item in inventory.volumes if item.external}
    unread = services.lacks_env_file(inventory, service)
    kept = any(mount.source in external for mount in service.mounts)
    return (
        unread
        or kept
        or database_logins.makes_others(inventory, service)
        or services.product(inventory, service) is None
    )


def _is_of_database(wrong: list[str]) -> bool:
    return len(wrong) == 1 and wrong[0].startswith("the database")


def _makes_its_own(inventory: Inventory, service: Service) -> bool:
    """Whether a service is built from a program whose framework makes its database, as Rails and Ecto do."""
    context = posixpath.normpath(service.build.context or ".") if service.build else ""
    return bool(context) and any(posixpath.normpath(posixpath.join(context, name)) in inventory.file_set
                                 for name in ("Gemfile", "mix.exs"))  # fmt: skip


def _wrong(entry: EnvironmentEntry, user: str, database: str, server: Server) -> list[str]:
    wrong = []
    if server.users and user not in server.users:
        wrong.append(f"the user {user} ({server.service.name} makes {listed(sorted(server.users))})")
    elif server.password and entry.value and entry.value.secret and entry.value.identity != server.password:
        wrong += [] if user == "root" else [f"another password for {user}"]
    if server.databases and database not in server.databases:
        wrong.append(f"the database {database} ({server.service.name} makes {listed(sorted(server.databases))})")
    return wrong


class _Agreement(Struct, frozen=True):
    """An address that the server answers, the variable of its password, and what the server is told for it."""

    address: str
    password: str
    told: dict[str, str]


def _agreeing(match: re.Match[str], server: Server) -> _Agreement:
    """The login and the database that the server makes; what it isn't told anything of, it is told to make."""
    given = {entry.name for entry in server.service.environment}
    of_database = f"{server.prefix}_{'DB' if server.prefix == 'POSTGRES' else 'DATABASE'}"
    told = {}
    user, database = match["user"], match["database"]
    if user not in server.users and f"{server.prefix}_USER" in given:
        user = min(server.users - {"root"}, default=user)
    elif user not in server.users:
        told[f"{server.prefix}_USER"] = user
    if database not in server.databases and of_database in given:
        database = min(server.databases - {"postgres", "template1"}, default=database)
    elif database not in server.databases or told:
        told[of_database] = database
    variable = f"{server.prefix}_{'ROOT_' if user == 'root' else ''}PASSWORD"
    text, start, end = match.string, match.start("login"), match.end("database")
    login = f"{user}:${{{variable}:?set it in .env}}"
    address = f"{text[:start]}{login}{text[match.end('login') : match.start('database')]}{database}{text[end:]}"
    return _Agreement(address, variable, told)


def _lines(service: Service, entry: EnvironmentEntry, server: Server, match: re.Match[str]) -> str:
    agreed = _agreeing(match, server)
    address = compose_lines.of_service(service, f"environment:\n  {entry.name}: {agreed.address}")
    wanted = "".join(f"\n  {name}: {value}" for name, value in agreed.told.items())
    first_start = f"{_FIRST_START}\n" if wanted else ""
    lines = f"{first_start}{code_lines.required([agreed.password])}{wanted}"
    return f"{address}\n{compose_lines.of_service(server.service, lines)}"


def _evidence(service: Service, entry: EnvironmentEntry, server: Server, wrong: list[str], example: str) -> Evidence:
    only_database = _is_of_database(wrong)
    doubt = ", unless a migration makes it" if only_database else ""
    place = server.user.location if server.user else server.service.location
    return Evidence(
        f"{entry.name} of {service.name} names {listed(wrong)}{doubt}.",
        entry.location,
        subject=f"{service.name}/{entry.name}",
        service=service.name,
        related=(Related(place, f"what {server.service.name} is told to make"),),
        recommendation=f"Make {entry.name} of {service.name} and the variables of {server.service.name} agree.",
        example=example,
        severity=Severity.MEDIUM if only_database else None,
        confidence=Confidence.MEDIUM if only_database else None,
    )
