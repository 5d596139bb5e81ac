"""A script under `set -e` enters a line into a cron table, and enters nothing where the table is empty.

`crontab -l` fails where its user has no table yet, and `grep -v` where it leaves no line. Under `set -e` either ends
the brackets before they print the new line: `crontab -` is given nothing and installs an empty table. The pipe ends
well nevertheless, so that nobody sees that no backup runs or no certificate is renewed; with `grep -v` the second run
of the script takes away the line that the first one entered.

Anti-pattern:

    set -e
    (crontab -l 2>/dev/null | grep -v renew.sh; echo "0 3 * * * /srv/shop/renew.sh") | crontab -

Better:

    set -e
    (crontab -l 2>/dev/null | grep -v renew.sh || true; echo "0 3 * * * /srv/shop/renew.sh") | crontab -

Recommendation:

    Write `|| true` behind what reads the table, or put a file into `/etc/cron.d`.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://man7.org/linux/man-pages/man1/crontab.1.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_SETS = regex(r"set\s(?:.*\s)?(?:-[a-z]*e[a-z]*|errexit)(?:\s|$)")
_UNSETS = regex(r"set\s(?:.*\s)?\+(?:[a-z]*e[a-z]*|o errexit)(?:\s|$)")
_LEAVES_OUT = regex(r"[ef]?grep\s(?:.*\s)?(?:-[a-zA-Z]*v[a-zA-Z]*|--invert-match)\s.*")
_PRINTS = frozenset({"echo", "printf", "cat"})


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script, step, or text for another host, whose shell ends at a failure."""
    texts = [item.commands for item in inventory.scripts if _ends_at_failure(item.commands)]
    texts += [item.remote for item in inventory.steps if _ends_at_failure(item.remote)]
    texts += [
        item.commands for item in inventory.steps if not any(_UNSETS.match(_text(each)) for each in item.commands)
    ]
    for commands in texts:
        if found := [read for at in range(len(commands)) if (read := _lost(commands, at))]:
            yield _evidence(found)


def _text(command: Command) -> str:
    return " ".join(command.words)


def _ends_at_failure(commands: Sequence[Command]) -> bool:
    texts = [_text(item) for item in commands]
    return any(map(_SETS.match, texts)) and not any(map(_UNSETS.match, texts))


def _lost(commands: Sequence[Command], at: int) -> tuple[Command, ...]:
    """What reads the table before a line that is printed and given to `crontab -`; nothing where that is safe."""
    read = commands[at]
    if read.words[:1] != ("crontab",) or read.words[-1] != "-l" or not read.caught:
        return ()
    then = commands[at + 1 : at + 2]
    reading = (read, *then) if then and _LEAVES_OUT.match(_text(then[0])) else (read,)
    printed, entered = (*commands[at + len(reading) : at + len(reading) + 2], None, None)[:2]
    if not printed or not entered or printed.words[:1][0] not in _PRINTS or not printed.caught:
        return ()
    enters = entered.words[0] == "crontab" and entered.words[-1] == "-"
    safe = any(item.cannot_fail or item.tested or not item.asked for item in (*reading, printed))
    return () if not enters or safe or entered.tested or _is_asked_for(commands, entered.function) else reading


def _is_asked_for(commands: Sequence[Command], function: str) -> bool:
    """Whether a function is called where its failure decides something, so that `set -e` counts for nothing in it."""
    calls = (item for item in commands if function and item.words[0] == function)
    return any(item.tested or item.cannot_fail for item in calls)


def _evidence(found: list[tuple[Command, ...]]) -> Evidence:
    (read, *filters), *others = found
    file = read.location.file
    line = " | ".join(shell_lines.line(item.words) for item in (read, *filters))
    why = (
        "where the table holds no other line, `grep -v` leaves none, which counts as a failure"
        if filters
        else "where its user has no table yet, `crontab -l` fails"
    )
    return Evidence(
        f"{file} enters a line into a cron table under `set -e`: {why} and ends the brackets before the new line is "
        "printed, so that `crontab -` installs an empty table.",
        read.location,
        subject=f"{file}/crontab",
        related=tuple(Related(item.location, "here too", member=True) for (item, *_) in others),
        recommendation="Write `|| true` behind what reads the table, inside the brackets.",
        example=files.into(file, f"( {line} || true; <what prints the new line> ) | crontab -"),
    )
