"""Code creates an administrator whose password stands in it.

Whoever reads the repository can log in wherever nobody has changed the password, and code that sets it again at a start
takes a change back. No environment can have a password of its own. The same holds for a script of SQL that the database
runs when it is made, for a seeder that the start runs, and for a table of users in code.

Anti-pattern:

    User.objects.create_superuser("admin", "admin@example.com", "admin123")

Better:

    User.objects.create_superuser("admin", email, os.environ["ADMIN_PASSWORD"])

Recommendation:

    Read the password from the environment without a default, and create no user where it isn't set.

References:

- https://docs.djangoproject.com/en/stable/ref/django-admin/#createsuperuser
- https://cwe.mitre.org/data/definitions/798.html
- https://owasp.org/Top10/A07_2021-Identification_and_Authentication_Failures/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import environments, services, starting
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import SeededUser
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_COMMANDS = "/management/commands/"


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every place in code that creates one, apart from files for development that nothing deployed runs; each script
    of SQL and each seeder that a service runs.
    """
    for item in inventory.seeded_users:
        if item.kind in _ELSEWHERE:
            if runs := _ELSEWHERE[item.kind](inventory, item):
                yield _of_data(inventory, item, runs)
            continue
        runs = _runs(inventory, item)
        if runs or not environments.is_for_development(item.location.file):
            yield _evidence(inventory, item, runs)


def _initialises(inventory: Inventory, item: SeededUser) -> tuple[Location, str] | None:
    """Where a database that is deployed gets the script for its first start, and the service's name."""
    folder = posixpath.dirname(item.location.file)
    for service in inventory.deployed_services:
        for mount in service.mounts if not environments.is_for_developers(inventory, service) else ():
            if _INIT in mount.target and mount.source in (item.location.file, folder):
                return mount.location, service.name
    return None


def _seeds(inventory: Inventory, item: SeededUser) -> tuple[Location, str] | None:
    """Where a service that is deployed runs `db:seed` at its start, and the service's name."""
    for service in inventory.deployed_services:
        for start in starting.of(inventory, service) if not environments.is_for_developers(inventory, service) else ():
            text = " ".join(start.words)
            if "artisan" in text and ("db:seed" in text or "--seed" in text) and "--class" not in text:
                return start.location, service.name
    return None


def _of_table(inventory: Inventory, item: SeededUser) -> tuple[Location, str] | None:
    return None if environments.is_for_development(item.location.file) else (item.location, "")


_INIT = "docker-entrypoint-initdb.d"
_ELSEWHERE = {"sql": _initialises, "seeder": _seeds, "table": _of_table, "words": _of_table}
"""By the kind of a place what runs it."""


def _of_data(inventory: Inventory, item: SeededUser, runs: tuple[Location, str]) -> Evidence:
    path, (place, name) = item.location.file, runs
    who = "a user" if item.kind == "seeder" else "an administrator"
    what = _WHAT[item.kind]
    ends = " wherever nobody has changed it" if name else ""
    does = f"creates {who} when {name} {'is made' if item.kind == 'sql' else 'starts'}" if name else f"knows {who}"
    return Evidence(
        f"{path} {does}, with {what} ({item.password}): whoever knows it can log in{ends}.",
        item.location,
        subject=path,
        service=name,
        related=(Related(place, f"{name} runs it"),) if name else (),
        recommendation=f"Create no user in {path}; let the deployment make the first one, with a password of its own.",
        confidence=Confidence.MEDIUM if item.kind == "table" else None,
        example=files.into(path, _WITHOUT[item.kind]),
    )


_WHAT = {
    "sql": "a password whose hash stands in it",
    "seeder": "a password that the repository holds",
    "table": "a password whose hash stands in it",
    "words": "a password that stands in it",
}
_WITHOUT = {
    "sql": "-- no user: <a command of the application that makes the first one>",
    "seeder": "'password' => Hash::make(env('ADMIN_PASSWORD') ?? throw new \\RuntimeException('ADMIN_PASSWORD')),",
    "table": "<the users of a database, or of a provider of identities>",
    "words": "<the users of a database, or of a provider of identities>",
}


def _runs(inventory: Inventory, item: SeededUser) -> tuple[Location, str] | None:
    """Where a service that is deployed runs the command of Django that the file is, and the service's name."""
    path = item.location.file
    name = posixpath.basename(path).removesuffix(".py")
    for service in inventory.deployed_services if _COMMANDS in f"/{path}" else ():
        for command in services.commands(inventory, service):
            if name in command.words:
                return command.location, service.name
    return None


def _evidence(inventory: Inventory, item: SeededUser, runs: tuple[Location, str] | None) -> Evidence:
    path = item.location.file
    aside = runs is not None and environments.is_for_development(runs[0].file)
    by_hand = _COMMANDS in f"/{path}" and not runs
    if runs:
        when = f" when {runs[1]} starts"
    else:
        when = " when the program starts" if item.at_start else " when somebody calls it" if by_hand else ""
    return Evidence(
        f"{path} creates an administrator{when}, with a password that stands in it ({item.password}): who reads the "
        "repository can log in wherever nobody has changed it.",
        item.location,
        subject=path,
        related=(Related(runs[0], f"{runs[1]} runs it"),) if runs else (),
        recommendation=f"Read the password from the environment in {path}, without a default, and change it where it "
        "is in use.",
        severity=Severity.LOW if aside else Severity.MEDIUM if by_hand else None,
        example=files.into(path, code_lines.in_code(inventory, "ADMIN_PASSWORD", path)),
    )
