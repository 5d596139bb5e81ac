"""A dump of MySQL or MariaDB stops the writers, or shows its tables at different times.

`mysqldump` locks the tables of each database while it dumps them, so that every write waits; with several databases
it locks one after the other, and the dump shows them at different times. `--single-transaction` reads all of InnoDB as
it was at the start and locks nothing.

Anti-pattern:

    mysqldump --all-databases > all.sql

Better:

    mysqldump --single-transaction --routines --events --all-databases > all.sql

Recommendation:

    Call it with `--single-transaction`.

References:

- https://dev.mysql.com/doc/refman/8.4/en/mysqldump.html#option_mysqldump_single-transaction
- https://mariadb.com/docs/server/clients-and-utilities/backup-restore-and-import-clients/mariadb-dump
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import command_words
from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOOLS = frozenset({"mysqldump", "mariadb-dump"})
_ENOUGH = frozenset({"--single-transaction", "--lock-all-tables", "-x", "--no-data", "-d", "--version", "--help", "-V"})
_INSTALLS = frozenset({"apt-get", "apk"})
_SEVERAL = frozenset({"--all-databases", "-A", "--databases", "-B"})


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text with calls of mysqldump or mariadb-dump that say nothing of a transaction."""
    if not _TOOLS & command_texts.words(inventory):
        return
    for text in command_texts.texts(inventory):
        found = [item for item in text.commands if _TOOLS & set(item.words) and _is_loose(item)]
        if found and not text.is_on_thrown_away_host:
            yield _evidence(text, found)


def _is_loose(command: Command) -> bool:
    options = {word.partition("=")[0] for word in command.words}
    named = command_words.only_names(command.words) or command.words[0] in _INSTALLS
    return _ENOUGH.isdisjoint(options) and not named


def _evidence(text: CommandText, found: list[Command]) -> Evidence:
    first, *others = found
    words = list(first.words)
    index = next(place for place, word in enumerate(words) if word in _TOOLS)
    several = _SEVERAL & set(words)
    outcome = "the dump shows them at different times" if several else "every write waits until the dump is done"
    line = " ".join([words[index], "--single-transaction", *words[index + 1 :]])
    return Evidence(
        f"{text.opening} calls {words[index]} without `--single-transaction`: it locks the tables of "
        f"{'one database after the other' if several else 'the database'}, and {outcome}.",
        first.location,
        subject=f"{text.name}/{words[index]}",
        related=tuple(Related(item.location, "without a transaction too", member=True) for item in others),
        recommendation=f"Add `--single-transaction` to {words[index]} in {text.path}.",
        example=files.into(text.path, line),
    )
