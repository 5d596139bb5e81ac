"""A variable is set twice in one environment file, or in one list of a service.

The last line wins, in silence. Who changes the first one wonders why nothing happens; who removes the last one as a
duplicate brings an old value back.

Anti-pattern:

    SMTP_HOST=mail.example.org
    SMTP_PORT=587
    SMTP_HOST=localhost

Better:

    SMTP_HOST=mail.example.org
    SMTP_PORT=587

Recommendation:

    Keep one line for each variable, the one whose value is meant.

References:

- https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/
"""

from __future__ import annotations

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.merging import RepeatedEntry
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every variable of an environment file that has two assignments, comments left out."""
    for file in inventory.env_files:
        lines: defaultdict[str, list[EnvLine]] = defaultdict(list)
        for line in file.lines:
            if line.name and not line.commented and not line.malformed:
                lines[line.name].append(line)
        for name, found in lines.items():
            if len(found) > 1 and not any(_goes_on(line) for line in found[1:]):
                yield _evidence(file, name, found)
    for entry in inventory.repeated_entries:
        yield _of_list(entry)


def _evidence(file: EnvFile, name: str, lines: list[EnvLine]) -> Evidence:
    last = lines[-1]
    differ = len({_content(line) for line in lines}) > 1
    effect = "the values differ and only the last one counts" if differ else "with the same value"
    return Evidence(
        f"{name} is set {len(lines)} times in {file.path}; {effect}.",
        last.location,
        subject=name,
        related=tuple(Related(line.location, f"{name} is set here, without effect") for line in lines[:-1]),
        recommendation=f"Remove {len(lines) - 1} of the {len(lines)} lines of {name} from {file.path}.",
        example=f"sed -i '{';'.join(f'{line.location.line}d' for line in lines[:-1])}' {shlex.quote(file.path)}",
        severity=None if differ and not file.template else Severity.LOW,
    )


def _of_list(entry: RepeatedEntry) -> Evidence:
    """What the list of a service's environment gives twice."""
    *others, last = entry.places
    effect = "the values differ and only the last one counts" if entry.differ else "with the same value"
    return Evidence(
        f"{entry.service} is given {entry.name} {len(entry.places)} times by one list; {effect}.",
        last,
        subject=f"{entry.service}/{entry.name}",
        service=entry.service,
        related=tuple(Related(place, f"{entry.name} is given here, without effect") for place in others),
        recommendation=f"Remove {len(others)} of the {len(entry.places)} entries of {entry.name} from {last.file}.",
        example=f"sed -i '{';'.join(f'{place.line}d' for place in others)}' {shlex.quote(last.file)}",
        severity=None if entry.differ and not environments.is_for_development(last.file) else Severity.LOW,
    )


def _goes_on(line: EnvLine) -> bool:
    """Whether a line adds to the value of one before it (`JAVA_OPTS="$JAVA_OPTS -Xmx1g"`)."""
    text = line.value.text if line.value else ""
    return re.search(rf"\$\{{?{re.escape(line.name)}\b", text) is not None


def _content(line: EnvLine) -> str | int | None:
    """What tells values apart; a secret is known by its identity alone."""
    return None if line.value is None else line.value.identity or line.value.text
