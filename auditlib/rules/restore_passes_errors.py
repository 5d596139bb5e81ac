"""A restore that fails half way reports a success.

`psql` goes on after an error and ends with 0. Where a table exists already, a role is missing or a line is damaged, a
part of the data isn't there, the script says that it is done, and the application starts on what is left.

Anti-pattern:

    # restore.sh
    gunzip -c "$1" | psql -U shop shop

Better:

    gunzip -c "$1" | psql -U shop --set ON_ERROR_STOP=1 --single-transaction shop

Recommendation:

    Give psql `ON_ERROR_STOP` and `--single-transaction`, so that a restore is whole or didn't happen.

References:

- https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-VARIABLES-ON-ERROR-STOP
- https://www.postgresql.org/docs/current/backup-dump.html#BACKUP-DUMP-RESTORE
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESTORES = regex(r"(?:^|[/_.-])restor(?:e|es|ing)(?:[_.-]\w+)*\.(?:sh|bash)$", re.I)
_PSQL = regex(r"(?:^|[\s/])psql(?=\s|$)(?P<options>.*)")
_ASKS_ONE = regex(r"\s-\w*[cl]\b|\s--(?:command|list|version)\b")
_STRICT = "--set ON_ERROR_STOP=1 --single-transaction"
_STOPS = regex(r"\bON_ERROR_STOP\b")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that restores, with the calls of psql that read a dump and go on after an error."""
    whole = any("pg_dumpall" in command.words for command in deployment.commands(inventory))
    for script in inventory.scripts if not whole else ():  # roles that are there already are errors, and no harm
        if _RESTORES.search(script.path) and (calls := [item for item in script.commands if _goes_on(item)]):
            yield _evidence(script, calls)


def _goes_on(command: Command) -> bool:
    text = " ".join(command.words)
    match = _PSQL.search(text)
    return match is not None and not _ASKS_ONE.search(match["options"]) and not _STOPS.search(text)


def _evidence(script: Script, calls: list[Command]) -> Evidence:
    first, *others = calls
    return Evidence(
        f"{script.path} restores by psql without ON_ERROR_STOP: psql passes over each statement that fails and ends as "
        "if all had worked.",
        first.location,
        subject=f"{script.path}/psql",
        related=tuple(Related(item.location, "psql goes on after an error here too", member=True) for item in others),
        recommendation=f"Call psql with `{_STRICT}`.",
        example=files.into(
            script.path, "psql --set ON_ERROR_STOP=1 --single-transaction <the options that stand there>"
        ),
    )
