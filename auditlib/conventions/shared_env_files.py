"""Which of the variables in an environment file that several services share one of them has a use for.

A file for all services gives each of them all addresses, also a frontend that of the database. Compose passes on what
stands in `env_file` without regard to who reads it:
https://docs.docker.com/reference/compose-file/services/#env_file
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import programs
from auditlib.conventions.programs import Program
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.patterns import regex

_OF_OTHERS = regex(r"(?:CELERY|DJANGO|FLASK|FASTAPI|SQLALCHEMY|AIRFLOW|SPRING|RAILS|LARAVEL|SYMFONY)_")
"""Variables that libraries of Python, Java, Ruby and PHP read by themselves, and none of JavaScript does."""
_OF_STORES = regex(r"(?:POSTGRES|PG|MYSQL|MARIADB|MONGO|REDIS|VALKEY|DB|DATABASE|CELERY|BROKER|RABBITMQ|AMQP|KAFKA)")
_BROWSER = frozenset({"next", "react-dom", "vue", "nuxt", "svelte", "@angular/core", "vite", "react-scripts", "preact"})
"""Packages of what runs in a browser, or makes pages for it."""
_CLIENTS = regex(
    r"(?:^|[@/_-])(?:pg(?:-|$)|postgres|prisma|typeorm|sequelize|knex|drizzle|kysely|mikro-orm|mongo|mysql|mariadb|sqlite|"
    r"i?o?redis|bull|bee-queue|agenda|graphile|amqp|rabbit|kafka|cassandra|supabase|neon|payload|strapi|directus|medusa|"
    r"keystone|n?e?x?t?-?auth|adonis|nest|sql|orm$|db$|queue|cache$)|^@[\w-]+/(?:database|server|api|core|backend|data)$"
)
"""What may be, or bring along, a client of a database or a queue."""
_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".vue", ".svelte", "package.json")


def taken(inventory: Inventory, service: Service) -> Iterator[EnvironmentEntry]:
    """The variables of a service, less those of a shared file that its code, which is here, doesn't name."""
    idle = _idle(inventory).get(service.key, frozenset())
    return (entry for entry in service.environment if entry.origin == "environment" or entry.name not in idle)


@answered_once
def _idle(inventory: Inventory) -> dict[str, frozenset[str]]:
    """By service the variables of its environment files that another service's code reads, and its own doesn't."""
    if not any(_in_files(service) for service in inventory.services):
        return {}
    known = programs.programs(inventory)
    users = _users(known)
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for program in known:
        given = {entry.name for other in inventory.versions(program.service) for entry in _in_files(other)}
        clientless = bool(given) and _is_clientless(inventory, program)
        unread = (name for name in given if not _may_read(inventory, program, name))
        others = {program.service.name}
        idle = {name for name in unread if users[name] - others or (clientless and _OF_STORES.match(name))}
        for service in inventory.versions(program.service) if idle else ():
            found[service.key] = frozenset(idle)
    return dict(found)


def _in_files(service: Service) -> list[EnvironmentEntry]:
    return [entry for entry in service.environment if entry.origin != "environment" and entry.endpoints]


def _users(known: tuple[Program, ...]) -> defaultdict[str, set[str]]:
    """By variable the services whose code reads it."""
    users: defaultdict[str, set[str]] = defaultdict(set)
    for program in known:
        for setting in program.settings:
            for name in (setting.name, *setting.aliases):
                users[name.upper()].add(program.service.name)
    return users


def _is_clientless(inventory: Inventory, program: Program) -> bool:
    """Whether a program is a frontend by its package.json, and that names no client of any store."""
    names: set[str] = set()
    for manifest in inventory.manifests:
        if program.holds(manifest.path) and manifest.kind != "make":
            names |= {item.name for item in manifest.requirements}
            if manifest.kind != "npm":
                return False
    return bool(names & _BROWSER) and not any(_CLIENTS.search(name) for name in names)


def _may_read(inventory: Inventory, program: Program, name: str) -> bool:
    """Whether a program names a variable, or a library of it may read that by itself."""
    if program.foreign or name.lower() in program.named:
        return True
    if any(name.upper() in (item.name.upper(), *map(str.upper, item.aliases)) for item in program.settings):
        return True
    in_scripts = not any(path.endswith(".py") and program.holds(path) for path in inventory.files)
    of_others = in_scripts and _OF_OTHERS.match(name)
    here = any(path.endswith(_SCRIPTS if in_scripts else ".py") and program.holds(path) for path in inventory.files)
    return not here or (programs.is_read_by_libraries(name) and not of_others)
