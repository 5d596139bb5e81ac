"""A script for PowerShell doesn't parse.

In a string `$name:` begins the name of a variable in a drive or scope, such as `$env:PATH`. Where no name follows the
colon, the parser refuses the whole file, before its first line is run: a backup or a deployment never starts.

Anti-pattern:

    scp dump.sql "$target:/srv/backups/"

Better:

    scp dump.sql "${target}:/srv/backups/"

Recommendation:

    Put the name into braces, and have the pipeline parse the scripts (PSScriptAnalyzer).

References:

- https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_variables
- https://learn.microsoft.com/powershell/utility-modules/psscriptanalyzer/overview
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script with such references."""
    for script in inventory.scripts:
        if script.refused_references:
            yield _evidence(script)


def _evidence(script: Script) -> Evidence:
    first, *others = script.refused_references
    names = listed(dict.fromkeys(f"`${item.name}:`" for item in script.refused_references))
    return Evidence(
        f"PowerShell refuses {script.path} before its first line runs: in a string no variable's name follows {names}.",
        first.location,
        subject=script.path,
        related=tuple(Related(item.location, f"`${item.name}:` again", member=True) for item in others),
        recommendation=f"Write `${{{first.name}}}:` in place of `${first.name}:`.",
        severity=Severity.LOW if environments.is_for_development(script.path) else None,
        change=(f"${first.name}:", f"${{{first.name}}}:"),
    )
