"""A line of an environment file is no assignment.

Docker Compose refuses to start with such a file, while other programs that read it (python-dotenv, a shell's `source`)
skip the line or take it for something else. The variable is then missing in one place and set in another.

Anti-pattern:

    # .env
    POSTGRES_USER=app
    POSTGRES PASSWORD
    SECRET_KEY="not closed

Better:

    POSTGRES_USER=app
    POSTGRES_PASSWORD=
    SECRET_KEY="closed"

Recommendation:

    Write each line as NAME=value, a comment as `# …`, and close every quote.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
- https://saurabh-kumar.com/python-dotenv/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each environment file one finding for all its malformed lines."""
    taken = {item.path for service in inventory.services for item in service.env_files}
    for file in inventory.env_files:
        wrong = [line for line in file.lines if line.malformed]
        other_format = len(wrong) * 2 > len(file.lines) and file.path not in taken
        if wrong and not other_format:
            yield _evidence(file, wrong)


def _evidence(file: EnvFile, wrong: list[EnvLine]) -> Evidence:
    first, *others = wrong
    more = f", and {counted(len(others), 'other line is wrong too', 'other lines are wrong too')}" if others else ""
    return Evidence(
        f"Line {first.location.line} of {file.path} {first.malformed}{more}: what is meant to be set there is not set, "
        "or the whole file is refused.",
        first.location,
        subject=f"{file.path}/malformed",
        related=tuple(
            Related(line.location, f"{line.name or 'this line'} {line.malformed}", member=True) for line in others
        ),
        recommendation=f"Mend line {first.location.line} of {file.path}, or put `#` before it if it is a comment.",
        example=files.into(file.path, f"{first.name or '<the variable>'}=<its value, in quotes if it holds blanks>"),
        severity=Severity.LOW if file.template else None,
    )
