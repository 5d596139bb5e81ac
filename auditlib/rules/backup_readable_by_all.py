"""Backups are written so that every account of the host can read them.

A new file is readable by all unless `umask` says otherwise, whoever writes it. A dump holds the whole database, and the
account of a web server or of a colleague's job needs no password to read it.

Anti-pattern:

    # backup.sh
    mkdir -p "$BACKUP_DIR"
    pg_dump -Fc -f "$BACKUP_DIR/shop.dump" shop

Better:

    # backup.sh
    umask 077
    mkdir -p "$BACKUP_DIR"
    pg_dump -Fc -f "$BACKUP_DIR/shop.dump" shop

Recommendation:

    Begin scripts that dump with `umask 077`.

References:

- https://pubs.opengroup.org/onlinepubs/9799919799/utilities/umask.html
- https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import backups, calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CLOSES = frozenset({"umask", "chmod", "install", "setfacl"})
_STARTS = frozenset({"exec", "run"})
"""Of Docker: a file that an option of the dump names is then in the container."""


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all scripts for backups that write a dump into a file and close neither it nor its folder."""
    inside = calls.given_to_containers(inventory)
    found = [
        (script, dump) for script in inventory.scripts
        if backups.is_script(script) and not environments.is_for_development(script.path)
        and script.path.rpartition("/")[2] not in inside and not any(map(_closes, script.commands))
        and (dump := next((item for item in _dumps(script) if item), None))
    ]  # fmt: skip
    if found:
        yield _evidence(found)


def _closes(command: Command) -> bool:
    """Whether a command keeps others from reading files, by itself or by an option of `mkdir`."""
    words = {word.rpartition("/")[2] for word in command.words[:2]}
    return not words.isdisjoint(_CLOSES) or ("mkdir" in words and any(word.startswith("-m") for word in command.words))


def _dumps(script: Script) -> Iterator[Command | None]:
    """The dumps that end in a file of the host: their own, or that of what packs them."""
    for index, command in enumerate(script.commands):
        if backups.dump(command):
            after = script.commands[index + 1 :][:1] if command.caught else ()
            written = any(item.writes and item.writes[0] != "/dev/null" for item in (command, *after))
            yield command if written or _names_file(command) else None


def _names_file(command: Command) -> bool:
    if _STARTS & set(command.words[:4]):
        return False
    return any(word.startswith(("--file=", "--archive=", "--result-file=")) or before in ("-f", "--file")
               for before, word in pairwise(command.words))  # fmt: skip


def _evidence(found: list[tuple[Script, Command]]) -> Evidence:
    (script, dump), *others = found
    names = listed(item.path for item, _ in found)
    return Evidence(
        f"{names} {'writes' if not others else 'write'} dumps without `umask` or `chmod`: by the usual setting every "
        "account of the host can read them, unless their folder is closed.",
        dump.location,
        subject="backups/readable",
        related=tuple(Related(item.location, f"{other.path} does so too", member=True) for other, item in others),
        recommendation=f"Write `umask 077` before the first command of {names}.",
        example=files.into(script.path, "umask 077"),
    )
