"""Code that is given no address of its database goes on with a file of SQLite.

One variable that is misspelt, or missing on a new server, and the application starts all the same: on an empty file
inside its container. Users see no data, what they enter is gone with the container, and nothing fails.

Anti-pattern:

    DATABASES = {"default": dj_database_url.config(default="sqlite:///db.sqlite3")}
    db: {image: "postgres:17"}

Better:

    DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}

Recommendation:

    Take the default away, so that a start without the address fails, and name SQLite in the developers' own file.

References:

- https://12factor.net/backing-services
- https://docs.djangoproject.com/en/stable/ref/databases/#sqlite-notes
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, programs, services, sqlite_files
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OF_TESTS = regex(r"(?i)(?:^|_)TEST(?:S|ING)?(?:_|$)")
_SERVERS = frozenset({"PostgreSQL", "MySQL", "MariaDB"})


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each address of a database that falls back to SQLite, in code that runs beside a server of databases."""
    told: set[str] = set()
    for program in programs.programs(inventory):
        server = _server(inventory, program.service)
        for setting in program.settings if server else ():
            if server and sqlite_files.falls_back(setting) and setting.name not in told and _may_lack(program, setting):
                told.add(setting.name)
                yield _evidence(program, setting, server)


def _server(inventory: Inventory, service: Service) -> Service | None:
    """The database of a deployed service's project."""
    if environments.is_for_developers(inventory, service) or service.project in inventory.aside:
        return None
    kinds = ((other, services.product(inventory, other)) for other in inventory.services_of(service.project).values())
    return next((other for other, kind in kinds if kind and kind.name in _SERVERS), None)


def _may_lack(program: Program, setting: Setting) -> bool:
    """Whether the variable comes from a file that somebody keeps, or from who starts Compose, and may be missing."""
    if _OF_TESTS.search(setting.name):
        return False
    names = {setting.name.upper(), *map(str.upper, setting.aliases)}
    given = [entry for entry in program.service.environment if entry.name.upper() in names]
    fixed = any(entry.origin == "environment" and entry.value and entry.value.text for entry in given)
    fixed = fixed or not program.given.isdisjoint(f"{name}_FILE" for name in names)
    return not fixed and bool(given or program.service.env_files)


def _evidence(program: Program, setting: Setting, server: Service) -> Evidence:
    name = program.service.name
    return Evidence(
        f"{setting.name} falls back to a file of SQLite, and the database of {name} is {server.name}: where the "
        f"variable isn't set, {name} starts all the same, on an empty file in its container, unless other "
        "code refuses that.",
        setting.location,
        subject=f"{setting.location.file}/{setting.name}",
        service=name,
        related=(Related(server.location, f"{server.name} is the database"),),
        recommendation=f"Take the default of {setting.name} away in {setting.location.file}, so that a start without "
        "it fails.",
        example=files.into(
            setting.location.file, f'os.environ["{setting.name}"]  # a developer sets it to sqlite:///<a file>'
        ),
    )
