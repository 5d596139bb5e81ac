"""A restore stops at the first role, which is there already.

`pg_dumpall` writes the roles of the server before its databases: `CREATE ROLE shop`. The server that the dump is loaded
into has the role with which psql logs in, so that this statement fails; with ON_ERROR_STOP psql ends there, before it
has restored anything. Where the script has dropped the databases before, nothing is left.

Anti-pattern:

    # backup.sh
    pg_dumpall -U shop > all.sql
    # restore.sh
    psql -U shop -d postgres -v ON_ERROR_STOP=1 < all.sql

Better:

    # backup.sh
    pg_dumpall -U shop --globals-only > roles.sql
    pg_dump -U shop -Fc -f shop.dump shop
    # restore.sh
    pg_restore -U shop -d shop --clean --if-exists --exit-on-error --single-transaction shop.dump

Recommendation:

    Dump the roles and each database apart, and restore the databases alone where the server has its roles.

References:

- https://www.postgresql.org/docs/current/app-pg-dumpall.html
- https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-VARIABLES-ON-ERROR-STOP
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESTORES = regex(r"(?:^|[/_.-])restor(?:e|es|ing)(?:[_.-]\w+)*\.(?:sh|bash)$")
_PARTS = frozenset({"-g", "-r", "-t", "--globals-only", "--roles-only", "--tablespaces-only"})
_DUMPS_ONE = regex(r"\bpg_dump\b")
_STRICT = regex(r"\bON_ERROR_STOP(?!=(?:0|off|false))")
_ASKS_ONE = regex(r"\s-\w*c\b|\s--command\b|<<")
_FILTERS = frozenset({"grep", "sed", "awk", "perl", "python3", "python"})


@rule(area=Area.RESILIENCE, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every script that restores by a strict psql, where all that is dumped are whole servers with their roles."""
    dumps = [item for script in inventory.scripts for item in script.commands if _dumps_all(_text(item))]
    texts = (_text(item) for script in inventory.scripts for item in script.commands)
    if not dumps or any(_DUMPS_ONE.search(text) for text in texts):
        return
    for script in inventory.scripts:
        restore = _restore(script.commands) if _RESTORES.search(script.path) else None
        if restore:
            yield _evidence(script, restore, dumps[0])


def _restore(commands: tuple[Command, ...]) -> Command | None:
    """The strict psql that is fed what another command gives, or a file; none where a program picks from that."""
    if any(item.words and item.words[0] in _FILTERS and item.caught for item in commands):
        return None
    for before, item in pairwise(commands):
        options = _text(item).partition("psql")[2]
        if before.caught and _STRICT.search(options) and not _ASKS_ONE.search(options):
            return item
    return None


def _dumps_all(text: str) -> bool:
    return "pg_dumpall" in text and _PARTS.isdisjoint(text.split())


def _text(command: Command) -> str:
    return " ".join(command.words)


def _evidence(script: Script, restore: Command, dump: Command) -> Evidence:
    return Evidence(
        f"{script.path} feeds psql with ON_ERROR_STOP what pg_dumpall wrote: it begins with roles, of which the one "
        "that psql logs in with is there, so that psql ends at that statement and restores nothing.",
        restore.location,
        subject=script.path,
        related=(Related(dump.location, "the dump, with all roles of the server"),),
        recommendation="Dump the roles apart by `pg_dumpall --globals-only` and each database by `pg_dump`, and "
        "restore these.",
        example=files.into(
            dump.location.file,
            "pg_dumpall -U <user> --globals-only > roles.sql   # for a new server alone\n"
            "pg_dump -U <user> -Fc -f <database>.dump <database>   # each of them",
        ),
    )
