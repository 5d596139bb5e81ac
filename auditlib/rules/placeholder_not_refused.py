"""Code refuses secrets that everybody knows, and not the placeholder that the template offers.

The check is there so that nobody runs with what stands in the repository. A placeholder that it doesn't name gets by:
whoever copies the template starts with a secret that everybody can read, and the check says that all is well.

Anti-pattern:

    # .env.example
    SECRET_KEY=replace-with-a-long-random-secret

    # settings.py
    if SECRET_KEY == "insecure-development-key":
        raise RuntimeError("set SECRET_KEY")

Better:

    # .env.example
    SECRET_KEY=

    # settings.py
    if len(SECRET_KEY) < 32 or SECRET_KEY.startswith(("insecure-", "replace-")):
        raise RuntimeError("set SECRET_KEY")

Recommendation:

    Refuse each placeholder of the templates too, or leave the variable empty there.

References:

- https://12factor.net/config
- https://cwe.mitre.org/data/definitions/1392.html
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from auditlib.conventions import environments, secrets
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each placeholder of a template for a variable of which code refuses other values."""
    refused = {item.identity for item in inventory.refused_values}
    guards = secrets.guards(inventory)
    for file in inventory.env_files:
        if guards and file.template and not environments.is_for_development(file.copied_to):
            for line in file.lines:
                if line.name in guards and _is_offered(line, refused):
                    yield _evidence(file, line, guards[line.name])


def _is_offered(line: EnvLine, refused: Container[int]) -> bool:
    """Whether a line, also one in a comment, offers a placeholder that the code doesn't know."""
    return (
        line.value is not None and line.value.placeholder and line.value.secret and line.value.identity not in refused
    )


def _evidence(file: EnvFile, line: EnvLine, guard: Location) -> Evidence:
    return Evidence(
        f"{file.path} offers a placeholder for {line.name} ({line.value}) that the check in {guard.file} doesn't know: "
        "it refuses other values of the variable, and lets this one start.",
        line.location,
        subject=f"{file.path}/{line.name}",
        related=(Related(guard, "other values are refused here"),),
        recommendation=f"Refuse the placeholder of {file.path} in {guard.file} too, or leave {line.name} empty there.",
        example=files.into(file.path, f"{'# ' if line.commented else ''}{line.name}="),
    )
