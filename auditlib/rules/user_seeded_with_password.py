"""Code creates an administrator whose password stands in it.

Whoever reads the repository can log in wherever nobody has changed the password, and code that sets it again at a start
takes a change back. No environment can have a password of its own.

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

from auditlib.conventions import environments, services
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
    """Every place in code that creates one, apart from files for development that nothing deployed runs."""
    for item in inventory.seeded_users:
        runs = _runs(inventory, item)
        if runs or not environments.is_for_development(item.location.file):
            yield _evidence(inventory, item, runs)


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
