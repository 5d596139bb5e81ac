"""Old backups are deleted, whether or not a new one was made.

Where each dump fails, because a password changed or the disk is full, the script still removes what is older than some
days. After as many days no backup is left, and nobody has noticed.

Anti-pattern:

    if pg_dump -Fc -f /backups/shop.dump.part; then
      mv /backups/shop.dump.part "/backups/shop-$(date +%F).dump"
    else
      echo "backup failed" >&2
    fi
    find /backups -name 'shop-*.dump' -mtime +7 -delete

Better:

    if pg_dump -Fc -f /backups/shop.dump.part; then
      mv /backups/shop.dump.part "/backups/shop-$(date +%F).dump"
      find /backups -name 'shop-*.dump' -mtime +7 -delete
    else
      echo "backup failed" >&2
    fi

Recommendation:

    Delete old backups only where the new one was written.

References:

- https://man7.org/linux/man-pages/man1/find.1.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_AGES = frozenset({"-mtime", "-mmin", "-ctime"})
_ENDS = frozenset({"exit", "return", "continue", "die", "trap"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script with a dump whose failure ends nothing, and a deletion by age behind it that always runs."""
    for script in inventory.scripts:
        for index, command in enumerate(script.commands):
            match = backups.dump(command)
            prune = _prune(script.commands[index:]) if match else None
            if match and prune:
                yield _evidence(script.path, match["tool"], command, prune)
                break


def _prune(commands: tuple[Command, ...]) -> Command | None:
    """The deletion that comes after a dump, the first of these commands, if it is reached where the dump fails."""
    dump, *after = commands
    same = [item for item in after if item.function == dump.function]
    prune = next((item for item in same if _deletes_by_age(item) and not item.conditional), None)
    between = list(takewhile(lambda item: item is not prune, same))
    if prune is None or dump.conditional or dump.caught or any(item.words[0] in _ENDS for item in between):
        return None
    decides = bool(between) and between[0].conditional
    return prune if decides or not dump.asked else None


def _deletes_by_age(command: Command) -> bool:
    words = set(command.words)
    return command.words[:1] == ("find",) and bool(words & _AGES) and bool(words & {"-delete", "rm"})


def _evidence(path: str, tool: str, dump: Command, prune: Command) -> Evidence:
    line = shell_lines.line(prune.words)
    return Evidence(
        f"{path} deletes old backups also where {tool} failed: when every dump fails, none is left after some days.",
        prune.location,
        subject=path,
        related=(Related(dump.location, f"{tool} may fail here, and the script goes on"),),
        recommendation=f"Move line {prune.location.line} of {path} to where {tool} has succeeded.",
        example=files.into(path, f"# only where {tool} has succeeded\n{line}"),
    )
