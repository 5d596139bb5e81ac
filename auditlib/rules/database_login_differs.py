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
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import database_logins, database_names, deployment, init_scripts, services
from auditlib.conventions.database_logins import Server
from auditlib.conventions.database_names import Named
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.paths import below
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ADDRESS = regex(
    r"^(?:(?:jdbc:)?(?P<scheme>postgres(?:ql)?|mysql|mariadb)(?:\+\w+)?://)?(?P<login>(?P<user>\w+)(?::(?!//)[^@\n]{0,200})?)@"
    r"(?:tcp\()?(?P<host>[\w.-]+)(?::\d+)?\)?/(?P<database>[\w-]+)(?:[?].*)?$"
)
"""A URL, or what Go's driver for MySQL takes (https://github.com/go-sql-driver/mysql#dsn-data-source-name)."""
_MAKES = regex(r"\bcreate\s+(?:user|role|database)\b|\bcreate(?:user|db)\b", re.I)
_MADE = frozenset({"user", "role", "database"})
_WORDS = regex(r"[^\W\d_]{2,40}")
_BY_HAND = regex(r"exporter|monitor|metrics|read_?only|_ro$|replica|replicator|backup|grafana|datadog", re.I)
"""Users with few rights, whom somebody makes in a database that runs."""
_FIRST_START = "# made at the first start only: in a volume that is there, make both by hand"


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every address in a service's environment whose user, password or database its server doesn't make."""
    if _makes_others(inventory):
        return
    told: set[Location] = set()
    for service in inventory.distinct_services:
        for entry in service.environment:
            match = _ADDRESS.match(entry.value.text) if entry.value and "@" in entry.value.text else None
            other = inventory.services_of(service.project).get(match["host"]) if match else None
            server = database_logins.made_by(other) if other else None
            if match and server and other and not _is_open(inventory, other):
                wrong = _wrong(entry, match["user"], match["database"], server)
                by_itself = _is_of_database(wrong) and (_makes_its_own(inventory, service) or _is_for_tests(entry))
                if wrong and not (by_itself or _is_told(inventory, _missing(match, server))):
                    told.add(entry.location)
                    yield _evidence(service, entry, server, wrong, _lines(service, entry, server, match))
    yield from _unmade(inventory, told)


def _missing(match: re.Match[str], server: Server) -> set[str]:
    """The user and the database of an address that the server doesn't make."""
    named = ((match["user"], server.users), (match["database"], server.databases))
    return {name for name, made in named if made and name not in made}


def _is_told(inventory: Inventory, names: set[str]) -> bool:
    """Whether a document may have people make all of these by SQL; a plain word stands in many documents."""
    spoken = (item.words for item in inventory.documents if "create" in item.words and not _MADE.isdisjoint(item.words))
    return bool(names) and any(
        all(words.issuperset(_WORDS.findall(name.lower())) and ("_" in name or "psql" in words) for name in names)
        for words in spoken
    )


def _is_for_tests(entry: EnvironmentEntry) -> bool:
    """Whether an address is of what tests make, or a tool for migrations (Prisma's shadow)."""
    return not {"TEST", "TESTS", "TESTING", "SHADOW"}.isdisjoint(entry.name.upper().split("_"))


def _unmade(inventory: Inventory, told: set[Location]) -> Iterator[Evidence]:
    """Each server with the databases that applications of the repository are given and that it doesn't make, where no
    script, code or document makes another one.
    """
    spoken = (item.text for document in inventory.documents for item in document.mentions)
    if inventory.made_logins or any(map(_MAKES.search, spoken)):
        return
    found: defaultdict[str, list[tuple[Service, Named]]] = defaultdict(list)
    servers: dict[str, tuple[Service, EnvironmentEntry]] = {}
    for service in inventory.distinct_services:
        own = service.build is not None or (service.project, service.image) in inventory.image_builders
        for item in database_names.named(inventory, service) if own else ():
            server = inventory.services_of(service.project).get(item.host)
            made = database_names.made(inventory, server) if server else None
            known = database_names.text(inventory, made) if made else ""
            if not server or not made or not known or item.database in {known, "postgres", "template1", "mysql"}:
                continue
            again = any(user is service and each.database == item.database for user, each in found[server.key])
            if item.entry.location not in told and not again and not _may_be_there(inventory, service, server):
                servers[server.key] = server, made
                found[server.key].append((service, item))
    for key, uses in ((key, uses) for key, uses in found.items() if uses):
        yield _of_unmade(*servers[key], database_names.text(inventory, servers[key][1]), uses)


def _may_be_there(inventory: Inventory, service: Service, server: Service) -> bool:
    return _makes_its_own(inventory, service) or _is_open(inventory, server)


def _of_unmade(server: Service, made: EnvironmentEntry, known: str, uses: list[tuple[Service, Named]]) -> Evidence:
    (first, item), *others = uses
    names = list(dict.fromkeys(use.database for _, use in uses))
    return Evidence(
        f"{listed(f'{service.name} ({use.database})' for service, use in uses)} "
        f"{'is given a database' if not others else 'are given databases'} that {server.name} doesn't make: its first "
        f"start makes {known} alone, and no file makes another one, unless a program does by itself.",
        item.entry.location,
        subject=f"{server.key}/databases",
        service=first.name,
        related=(
            Related(made.location, f"what {server.name} is told to make"),
            *(Related(use.entry.location, f"{service.name} is given {use.database}", member=True)
              for service, use in others),
        ),
        recommendation=f"Mount a script of the first start into {server.name} that makes {listed(names, limit=3)}.",
        example=_first_start(server, names),
        confidence=Confidence.MEDIUM,
    )  # fmt: skip


def _first_start(server: Service, names: list[str]) -> str:
    """The script that makes the databases, and its mount."""
    ours = server.image.rpartition("/")[2].startswith("postgres")
    mark = '"' if ours else "`"
    quoted = [name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f"{mark}{name}{mark}" for name in names]
    grant = "" if ours else "GRANT ALL ON {0}.* TO '<the user of the applications>';\n"
    script = "".join(f"CREATE DATABASE {name};\n{grant.format(name)}" for name in quoted)
    mount = f"volumes:\n  - ./databases.sql:{init_scripts.FOLDER}/databases.sql:ro"
    note = "# read at the first start only: in a volume that is there, make them by hand"
    return f"{files.into('databases.sql', script.rstrip())}\n{note}\n{compose_lines.of_service(server, mount)}"


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
    """Whether a service is built from a program whose framework makes its database: Rails, Ecto, Entity Framework or
    Prisma.
    """
    context = posixpath.normpath(service.build.context or ".") if service.build else ""
    known = any(posixpath.normpath(posixpath.join(context, name)) in inventory.file_set
                for name in ("Gemfile", "mix.exs"))  # fmt: skip
    held = below(inventory.files, context) if context else ()
    return bool(context) and (known or any(path.endswith((".csproj", "schema.prisma")) for path in held))


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
    aside = len(wrong) == 1 and wrong[0].startswith("the user") and _BY_HAND.search(wrong[0].split()[2]) is not None
    doubt = ", unless a migration makes it" if only_database else ", unless somebody makes it by hand" if aside else ""
    place = server.user.location if server.user else server.service.location
    return Evidence(
        f"{entry.name} of {service.name} names {listed(wrong)}{doubt}.",
        entry.location,
        subject=f"{service.name}/{entry.name}",
        service=service.name,
        related=(Related(place, f"what {server.service.name} is told to make"),),
        recommendation=f"Make {entry.name} of {service.name} and the variables of {server.service.name} agree.",
        example=example,
        severity=Severity.MEDIUM if only_database or aside else None,
        confidence=Confidence.MEDIUM if only_database or aside else None,
    )
