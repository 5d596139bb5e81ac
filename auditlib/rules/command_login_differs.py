"""A command logs in to a database as a user that its server doesn't make.

The image of a database makes one user when it first starts, by its own variables. `psql` in its container with the
user of an earlier name of the project, or with the usual `postgres`, ends with "role does not exist": a backup that was
never made, a line of the manual that helps nobody in an emergency. So does `psql` without a database, which asks for
one that is called as the user is.

Anti-pattern:

    # compose.yaml: POSTGRES_USER: shop
    docker compose exec db pg_dump -U postgres shop > shop.sql

Better:

    docker compose exec -T db sh -c 'pg_dump -U "$POSTGRES_USER" "$POSTGRES_DB"' > shop.sql

Recommendation:

    Name the user that the server makes, or take it from the container's own variables.

References:

- https://hub.docker.com/_/postgres
- https://www.postgresql.org/docs/current/app-psql.html
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from auditlib import command_words, compose_command
from auditlib.conventions import database_logins, deployment, environments, images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CLIENTS = frozenset({"psql", "pg_dump", "pg_dumpall", "pg_restore", "createdb", "dropdb", "vacuumdb"})
_ONE_DATABASE = frozenset({"psql", "pg_dump"})
_USUAL = frozenset({"postgres", "template1"})
"""The databases that every server has."""
_PLAIN = regex(r"[A-Za-z_][\w-]*")
_MAINTAINS = regex(r"\b(?:drop|create|alter)\s+database\b", re.I)
_MAKES = regex(r"\b(?:create|alter)\s+(?:user|role)\b|\bcreateuser\b", re.I)
_WITH_VALUE = frozenset({"-U", "-h", "-p", "-v", "-o", "-F", "-P", "-R", "-L", "-T"})
_OF_DUMP = frozenset({"-n", "-N", "-t", "-j", "-Z", "-E", "-S"})
"""Options with a value that are `pg_dump`'s alone."""
_STATEMENTS = frozenset({"-c", "-f", "--command", "--file"})
_ALL_OR_NAMED = ("-d", "--dbname", "-l", "--list", "-a", "--all", "-V", "--version", "--help", "-?")
_USER = regex(r"(?:-U|--username)[= ]?(?P<user>[A-Za-z_]\w*)(?=\s|$)")


class _Login(Struct, frozen=True):
    """A command with the user that it names, and the servers that its container may be."""

    user: str
    program: str
    servers: tuple[Service, ...]
    location: Location
    told: bool
    """Whether a document tells people to call it."""
    without_database: bool = False
    """Whether it names no database for sure."""
    maintains: bool = False
    """Whether it makes or drops a database, which can't be done from within that one."""


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each server and user one finding with all commands that are refused."""
    made = {item.key: users for item in inventory.services if (users := _users(inventory, item))}
    found: defaultdict[tuple[str, str], list[_Login]] = defaultdict(list)
    for login in _logins(inventory) if made and not _makes_users(inventory) else ():
        known = [made.get(item.key) for item in login.servers]
        if known and all(users and login.user not in users for users in known):
            found[login.servers[0].name, login.user].append(login)
    for logins in found.values():
        yield _evidence(logins, made[logins[0].servers[0].key])
    yield from _without_database(inventory)


def _users(inventory: Inventory, service: Service) -> frozenset[str]:
    """The users that a server makes, by any value that a file gives the variable; nothing where others may be made."""
    server = database_logins.made_by(service)
    unknown = services.lacks_env_file(inventory, service) or database_logins.makes_others(inventory, service)
    if server is None or server.prefix != "POSTGRES" or unknown:
        return frozenset()
    variables = set(server.user.variables) if server.user else set()
    lines = (line for file in inventory.env_files for line in file.lines if line.name in variables)
    return server.users | {line.value.text for line in lines if line.value is not None}


def _without_database(inventory: Inventory) -> Iterator[Evidence]:
    """For each server and user one finding with all commands that ask for a database which isn't made."""
    found: defaultdict[tuple[str, str], list[_Login]] = defaultdict(list)
    for login in _logins(inventory):
        if login.without_database and all(_lacks(inventory, item, login.user) for item in login.servers):
            found[login.servers[0].name, login.user].append(login)
    for logins in found.values():
        yield _nameless(logins, sorted(_values(inventory, logins[0].servers[0], "POSTGRES_DB")))


def _lacks(inventory: Inventory, service: Service, user: str) -> bool:
    """Whether a server makes this user, and no database of the same name."""
    unknown = services.lacks_env_file(inventory, service) or database_logins.makes_others(inventory, service)
    told = any(entry.name == "PGDATABASE" for entry in service.environment)
    if service.build or images.repository(service.image) != "postgres" or unknown or told:
        return False
    databases = _values(inventory, service, "POSTGRES_DB")
    usual = user in _USUAL or user in databases
    return bool(databases) and not usual and user in _values(inventory, service, "POSTGRES_USER")


def _values(inventory: Inventory, service: Service, name: str) -> set[str]:
    """What a variable of a server may be, by Compose and by the environment files and their templates."""
    entry = next((item for item in service.environment if item.name == name), None)
    if entry is None:
        return set()
    lines = (line for file in inventory.env_files for line in file.lines if line.name in entry.variables)
    given = (entry.value, *(line.value for line in lines))
    return {value.text for value in given if value is not None and _PLAIN.fullmatch(value.text)}


def _makes_users(inventory: Inventory) -> bool:
    commands = (*deployment.commands(inventory), *(item for other in inventory.services for item in other.commands))
    texts = (" ".join(command.words) for command in commands)
    told = (item.text for item in deployment.documented_commands(inventory))
    return any(_MAKES.search(text) for text in (*texts, *told))


def _logins(inventory: Inventory) -> Iterator[_Login]:
    """The commands of scripts, makefiles, workflows and documents that call a client of PostgreSQL in a container."""
    for command in deployment.commands(inventory):
        if login := _login(inventory, command.words, command.location, told=False):
            yield login
    for item in deployment.documented_commands(inventory):
        if "exec" in item.text and (login := _login(inventory, _split(item.text), item.location, told=True)):
            yield login


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text.partition("<")[0])
    except ValueError:
        return []


def _login(inventory: Inventory, words: Sequence[str], place: Location, *, told: bool) -> _Login | None:
    name, rest = _entered(words)
    program = posixpath.basename(rest[0]) if rest else ""
    match = _USER.search(" ".join(rest[1:]))
    if program not in _CLIENTS or match is None or environments.is_for_development(place.file):
        return None
    other_host = any(word.startswith(("-h", "--host")) or "://" in word for word in rest[1:])
    apart = other_host or _is_of_others(inventory, words)
    servers = () if apart else tuple(item for item in inventory.services if _is_called(item, name))
    maintains = _MAINTAINS.search(" ".join(rest)) is not None
    nameless = program in _ONE_DATABASE and not other_host and _names_none(program, rest[1:], told=told)
    return _Login(match["user"], program, servers, place, told, nameless, maintains) if servers else None


def _is_of_others(inventory: Inventory, words: Sequence[str]) -> bool:
    """Whether a call names Compose files, written out, none of which the repository has."""
    call = compose_command.of(words)
    names = {posixpath.basename(file) for file in call.files} if call else set()
    known = {posixpath.basename(file) for project in inventory.projects for file in project.files}
    return bool(names) and not any("$" in name for name in names) and names.isdisjoint(known)


def _names_none(program: str, words: Sequence[str], *, told: bool) -> bool:
    """Whether the words of a client name no database. In a document's, the quotes around a statement are gone."""
    if any(word.startswith(_ALL_OR_NAMED) for word in words):
        return False
    at = next((number for number, word in enumerate(words) if word in _STATEMENTS), len(words))
    before, after = words[:at], words[at + 1 :]
    ended = not after or (after[-1].endswith(";") if told else len(after) == 1)
    return ended and not _positional(program, before)


def _positional(program: str, words: Sequence[str]) -> list[str]:
    """The words that are neither options nor their values."""
    valued = _WITH_VALUE | (_OF_DUMP if program == "pg_dump" else frozenset())
    pairs = zip(("", *words), words, strict=False)
    return [word for last, word in pairs if not word.startswith("-") and last not in valued]


def _entered(words: Sequence[str]) -> tuple[str, list[str]]:
    """The service or container that a command enters, and what it calls there."""
    call = compose_command.of(words)
    if call is not None and call.verb == "exec":
        return command_words.split(list(call.arguments))
    core = command_words.core(list(words))
    if core[:1] != ["docker"]:
        return "", []
    verb, rest = command_words.split(core[1:])
    return command_words.split([word for word in rest if word != "-t"]) if verb == "exec" else ("", [])


def _is_called(service: Service, name: str) -> bool:
    """Whether a service or its container has a name, as far as no variable is in it."""
    last = name.rpartition("}")[2].rpartition(")")[2]
    numbered = last.endswith((f"-{service.name}-1", f"_{service.name}_1"))
    return name in (service.name, service.container_name) or numbered


def _nameless(logins: list[_Login], databases: list[str]) -> Evidence:
    first, *others = sorted(logins, key=lambda item: item.told)
    server, made = first.servers[0], " or ".join(databases[:3])
    wanted = f"{first.program} -U {first.user} -d {'postgres' if first.maintains else databases[0]}"
    return Evidence(
        f"{first.location.file} calls {first.program} in {server.name} as {first.user} and names no database: it asks "
        f"for one that is called {first.user}, and {server.name} makes {made}.",
        first.location,
        subject=f"{server.name}/{first.user} without a database",
        service=server.name,
        related=(
            Related(server.location, f"{server.name}, whose first start makes {made}"),
            *(Related(item.location, f"{item.program} is called so too", member=True) for item in others),
        ),
        recommendation=f"Name the database in {first.location.file}: `{wanted}`.",
        severity=Severity.LOW if first.told else None,
        example=files.into(first.location.file, wanted),
    )


def _evidence(logins: list[_Login], users: frozenset[str]) -> Evidence:
    first, *others = sorted(logins, key=lambda item: item.told)
    server = first.servers[0]
    offered = min(users)
    return Evidence(
        f"{first.location.file} calls {first.program} in {server.name} as {first.user}, a user that {server.name} "
        f"doesn't make ({listed(sorted(users))}): it is refused, unless somebody made {first.user} by hand.",
        first.location,
        subject=f"{server.name}/{first.user}",
        service=server.name,
        related=(
            Related(server.location, f"{server.name}, whose first start makes {listed(sorted(users))}"),
            *(Related(item.location, f"{item.program} is called so too", member=True) for item in others),
        ),
        recommendation=f"Write `-U {offered}` instead of `-U {first.user}` in "
        f"{listed(dict.fromkeys(item.location.file for item in (first, *others)), limit=3)}.",
        severity=Severity.LOW if first.told else None,
        change=(f"-U {first.user}", f"-U {offered}") if len(users) == 1 else ("", ""),
        example=files.into(first.location.file, f"{first.program} -U {offered}"),
    )
