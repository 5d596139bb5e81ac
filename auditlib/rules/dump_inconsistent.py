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

import posixpath
import re
from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_TOOLS = frozenset({"mysqldump", "mariadb-dump"})
_ENOUGH = frozenset({
    "--single-transaction", "--lock-all-tables", "-x", "--no-data", "-d", "--version", "--help", "-V", "-?",
    "--master-data", "--source-data", "--dump-slave", "--dump-replica", "--skip-lock-tables", "--skip-opt",
})  # fmt: skip
"""Options with which it doesn't lock the tables one after the other: a transaction, a lock on all, or none at all."""
_RUNNERS = frozenset({
    "docker", "docker-compose", "podman", "kubectl", "ssh", "sudo", "exec", "nice", "ionice", "time", "timeout", "env",
    "flock", "chroot", "su", "gosu", "runuser", "nohup", "chronic",
})  # fmt: skip
"""What another program's call begins with; after any other word its name is an argument (`require_cmd mysqldump`)."""
_HOLDS_OPTIONS = regex(r"\$\{?\w*(?:OPT|ARG|FLAG|PARAM)\w*.*|\$\{\w+\[[@*]\]\}", re.I)
_FILES = ("--defaults-file", "--defaults-extra-file", "--defaults-group-suffix", "--login-path", "--no-defaults")
"""Options that count in the first place only; the file of one may hold further options."""
_SEVERAL = frozenset({"--all-databases", "-A", "--databases", "-B"})


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text with calls of mysqldump or mariadb-dump that say nothing of a transaction."""
    if not _TOOLS & command_texts.words(inventory):
        return
    for text in command_texts.texts(inventory):
        found = [item for item in text.commands if _TOOLS & set(item.words) and _is_loose(inventory, item)]
        if found and not text.is_on_thrown_away_host:
            certain = [item for item in found if not _option_files(item)]
            yield _evidence(text, certain or found)


def _is_loose(inventory: Inventory, command: Command) -> bool:
    """Whether a command calls one of the tools, and nothing that it is given may tell it of a transaction."""
    index = _place(command)
    runner = posixpath.basename(command.words[0])
    if index and runner not in _RUNNERS and not runner.startswith("$"):
        return False
    options = {word.partition("=")[0] for word in command.words[index:]}
    unlocked = any(word in ("--lock-tables=false", "--lock-tables=0") for word in command.words)
    kept = {posixpath.basename(path) for path in inventory.files}
    known = any(posixpath.basename(value) in kept for value in _option_files(command))
    return not (unlocked or known or _ENOUGH & options or any(map(_HOLDS_OPTIONS.fullmatch, command.words)))


def _place(command: Command) -> int:
    return next(place for place, word in enumerate(command.words) if word in _TOOLS)


def _option_files(command: Command) -> list[str]:
    return [word.partition("=")[2] for word in command.words if word.startswith(_FILES) and "=" in word]


def _evidence(text: CommandText, found: list[Command]) -> Evidence:
    first, *others = found
    index = _place(first)
    tool, words = first.words[index], first.words[index + 1 :]
    several = _SEVERAL & set(words)
    outcome = "the dump shows them at different times" if several else "every write waits until the dump is done"
    unless = ", unless its option file has it" if _option_files(first) else ""
    return Evidence(
        f"{text.opening} calls {tool} without `--single-transaction`{unless}: it locks the tables of "
        f"{'one database after the other' if several else 'the database'}, and {outcome}.",
        first.location,
        subject=f"{text.name}/{tool}",
        related=tuple(Related(item.location, "without a transaction too", member=True) for item in others),
        recommendation=f"Add `--single-transaction` to {tool} in {text.path}.",
        confidence=Confidence.MEDIUM if unless else None,
        example=files.into(text.path, " ".join((tool, *_with_transaction(words)))),
    )


def _with_transaction(words: tuple[str, ...]) -> Iterator[str]:
    """The arguments with the option, behind those that count in the first place only."""
    count = next((place for place, word in enumerate(words) if not word.startswith(_FILES)), len(words))
    yield from (*words[:count], "--single-transaction", *words[count:])
