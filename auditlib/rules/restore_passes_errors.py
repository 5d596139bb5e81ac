"""A restore that fails half way reports a success.

`psql` goes on after an error and ends with 0. Where a table exists already, a role is missing or a line is damaged, a
part of the data isn't there, the script says that it is done, and the application starts on what is left. `pg_restore`
goes on as well and ends with a failure at last: under `set -e` the services that the script has stopped stay down, and
the data is half the old and half the new.

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
- https://www.postgresql.org/docs/current/app-pgrestore.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from auditlib import command_words, compose_command
from auditlib.conventions import backups, deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_RESTORES = regex(r"(?:^|[/_.-])restor(?:e|es|ing)(?:[_.-]\w+)*\.(?:sh|bash)$", re.I)
_UNPACKS = frozenset({"gunzip", "zcat", "gzip", "bzcat", "bunzip2", "xzcat", "zstdcat", "zstd"})
_DUMP = regex(r"back[-_]?up|dump", re.I)
_PSQL = regex(r"(?:^|[\s/])psql(?=\s|$)(?P<options>.*)")
_ASKS_ONE = regex(r"\s-\w*[cl]\b|\s--(?:command|list|version)\b")
_STRICT = "--set ON_ERROR_STOP=1 --single-transaction"
_WHOLE = frozenset({"-e", "--exit-on-error", "-1", "--single-transaction", "-l"})
_ARCHIVE = regex(r"\s(?:-F\s?|--format[= ])(?:c|d|t|custom|directory|tar)\b|\s-\w*Fc\b")
"""A format of pg_dump that isn't SQL."""
_STOPS = regex(r"\bON_ERROR_STOP\b")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that restores, with the calls of psql that read a dump and go on after an error."""
    whole = any("pg_dumpall" in command.words for command in deployment.commands(inventory))
    for script in inventory.scripts if not whole else ():  # roles that are there already are errors, and no harm
        told = script.commands if _RESTORES.search(script.path) else _unpacked(script)
        if calls := [item for item in told if _goes_on(item)]:
            yield _evidence(script, calls, _are_archives(inventory, script))
    for script in inventory.scripts:
        if _RESTORES.search(script.path) and (restore := _half_way(script)):
            yield _of_archive(script, *restore)


def _are_archives(inventory: Inventory, script: Script) -> bool:
    """Whether all dumps that the repository makes are of a format that only pg_restore reads, as the script does too.

    Its psql is then for dumps that come from elsewhere.
    """
    reads = any("pg_restore" in item.words and not command_words.only_names(item.words) for item in script.commands)
    dumps = _dumps(inventory) if reads else []
    return bool(dumps) and all(map(_ARCHIVE.search, dumps))


@answered_once
def _dumps(inventory: Inventory) -> list[str]:
    """The calls of pg_dump."""
    found = ((item, backups.dump(item)) for item in deployment.commands(inventory))
    return [" ".join(item.words) for item, match in found if match and match["tool"] == "pg_dump"]


def _unpacked(script: Script) -> Iterator[Command]:
    """What takes a packed dump: `gunzip -c "$backup" | … psql`, in a script that does more than to restore."""
    for before, command in itertools.pairwise(script.commands):
        if before.caught and before.words[0] in _UNPACKS and _DUMP.search(" ".join(before.words)):
            yield command


def _half_way(script: Script) -> tuple[Command, Command] | None:
    """The command that stops services, and the pg_restore after it at whose errors the script ends, trapping none."""
    if any(item.words[:1] == ("trap",) for item in script.commands):
        return None
    stops = None
    for command in script.commands:
        words = set(" ".join(command.words).split())
        stops = stops or (command if _verb(command) in ("stop", "down") else None)
        ends = command.asked and not command.tested and not command.cannot_fail
        named = command_words.only_names(command.words)
        if (
            stops
            and "pg_restore" in words
            and not named
            and ends
            and words.isdisjoint(_WHOLE)
            and "--list" not in words
        ):
            return stops, command
    return None


def _verb(command: Command) -> str:
    """What Compose is told to do, also by an array of the script that holds the call (`"${compose[@]}" stop api`)."""
    if call := compose_command.of(command.words):
        return call.verb
    named = command.words[:1] and command.words[0].startswith("$") and "compose" in command.words[0].lower()
    return command.words[1] if named and len(command.words) > 1 else ""


def _of_archive(script: Script, stops: Command, restore: Command) -> Evidence:
    return Evidence(
        f"{script.path} stops services and calls pg_restore, which goes on after an error and ends with a failure: the "
        "script ends there, with a part of the data restored and the services stopped.",
        restore.location,
        subject=f"{script.path}/pg_restore",
        related=(Related(stops.location, "what is stopped here"),),
        recommendation="Call pg_restore with `--single-transaction`, which restores all or nothing, and start the "
        "services in a `trap` on EXIT.",
        severity=Severity.LOW,
        example=files.into(
            script.path,
            "trap '<the line that starts the services>' EXIT\npg_restore --single-transaction <the options that stand "
            "there>",
        ),
    )


def _goes_on(command: Command) -> bool:
    text = " ".join(command.words)
    match = _PSQL.search(text)
    named = command_words.only_names(command.words)
    return match is not None and not named and not _ASKS_ONE.search(match["options"]) and not _STOPS.search(text)


def _evidence(script: Script, calls: list[Command], aside: bool) -> Evidence:
    first, *others = calls
    only = " The dumps that the repository makes are for pg_restore; this is for a dump in SQL." if aside else ""
    return Evidence(
        f"{script.path} restores by psql without ON_ERROR_STOP: psql passes over each statement that fails and ends as "
        f"if all had worked.{only}",
        first.location,
        subject=f"{script.path}/psql",
        related=tuple(Related(item.location, "psql goes on after an error here too", member=True) for item in others),
        recommendation=f"Call psql with `{_STRICT}`.",
        severity=Severity.LOW if aside else None,
        example=files.into(
            script.path, "psql --set ON_ERROR_STOP=1 --single-transaction <the options that stand there>"
        ),
    )
