"""A document tells to run a script that is called a little differently.

Who follows it step by step gets "No such file or directory" at the first command, often on the day on which there is
no time for it.

Anti-pattern:

    # README.md
    1. Run ./installion.sh
    # the repository has installation.sh

Better:

    1. Run ./installation.sh

Recommendation:

    Correct the name in the document, or rename the script.

References:

- https://www.writethedocs.org/guide/docs-as-code/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import script_names
from auditlib.conventions.script_names import Slip
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.inventory.document import Mention
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script that a document runs from where it stands, which the repository lacks and has under a like name."""
    found: dict[str, Slip] = {}
    for slip in script_names.slips(inventory):
        found.setdefault(posixpath.basename(slip.path), slip)
    for slip in found.values():
        yield _evidence(slip.mention, slip.path, slip.script)


def _evidence(item: Mention, path: str, script: Script) -> Evidence:
    name = posixpath.basename(path)
    there = posixpath.basename(script.path)
    return Evidence(
        f"{item.location.file} runs {path}, which the repository lacks; there is {script.path}.",
        item.location,
        subject=path,
        related=(Related(script.location, "the script that is meant"),),
        recommendation=f"Write {there} in {item.location.file}.",
        change=(name, there),
    )
