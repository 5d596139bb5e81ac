"""A template of an environment file names a variable that nothing uses.

Who sets up an environment looks for a value that nobody needs, and believes that setting it has an effect.

Anti-pattern:

    # .env.example
    POSTGRES_PASSWORD=
    LEGACY_QUEUE_URL=        # neither Compose nor code knows it

Better:

    # .env.example
    POSTGRES_PASSWORD=

Recommendation:

    Remove the variable from the template, or use it.

References:

- https://12factor.net/config
- https://docs.docker.com/compose/how-tos/environment-variables/best-practices/
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.conventions import templates
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each template one finding for all its variables that no file names, nor reads under a near name."""
    for file, unused in templates.unused(inventory):
        near = [line for line, _ in templates.near_misses(inventory, file, unused)]
        if others := [line for line in unused if line not in near]:
            yield _evidence(file, others)


def _evidence(file: EnvFile, unused: list[EnvLine]) -> Evidence:
    first, *others = unused
    names = list(dict.fromkeys(line.name for line in unused))
    return Evidence(
        f"{file.path} names {counted(len(names), 'variable')} that no Compose file, code, script or workflow uses: "
        f"{listed(names)}.",
        first.location,
        subject=f"{file.path}/unused",
        related=tuple(Related(line.location, f"{line.name} is not used either", member=True) for line in others),
        recommendation=f"Remove {listed(names, limit=4)} from {file.path}, or use "
        f"{'it' if len(names) == 1 else 'them'}.",
        example=f"sed -i '{';'.join(f'{line.location.line}d' for line in unused)}' {shlex.quote(file.path)}",
    )
