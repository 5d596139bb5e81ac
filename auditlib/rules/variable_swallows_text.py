"""An underscore behind a variable is taken for a part of its name.

`$name_$date` reads the variable `name_`, which nobody sets: it is empty, and what is called after it is called
alike for all. Dumps of several databases then overwrite one another, and each call says that it went well.

Anti-pattern:

    for db in shop users; do
      pg_dump "$db" > "/backups/$db_$(date +%F).sql"
    done

Better:

    for db in shop users; do
      pg_dump "$db" > "/backups/${db}_$(date +%F).sql"
    done

Recommendation:

    Put the name into braces: `${name}_$date`.

References:

- https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html
- https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_variables
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Pair, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script that reads such a name and sets the one without the underscore."""
    for script in inventory.scripts:
        if script.swallowing:
            yield _evidence(script, script.swallowing)


def _evidence(script: Script, found: tuple[Pair, ...]) -> Evidence:
    first, *others = found
    stem = first.name.rstrip("_")
    return Evidence(
        f"{script.path} reads ${first.name}, which nothing sets; ${stem} is what it sets: the text lacks its value.",
        first.location,
        subject=f"{script.path}/{first.name}",
        related=tuple(Related(item.location, f"reads ${item.name}", member=True) for item in others),
        recommendation=f"Write `${{{stem}}}_` in place of `${first.name}`.",
        severity=Severity.LOW if environments.is_for_development(script.path) else None,
        change=(f"${first.name}", f"${{{stem}}}{first.name[len(stem) :]}"),
    )
