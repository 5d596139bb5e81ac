"""The handler of errors isn't called where a function of the script fails.

Functions don't inherit the trap for `ERR`: with `set -e` a command that fails in one ends the script at once, and the
handler that was to notify, to clean up or to roll back never runs. `set -E` (`errtrace`) hands the trap on.

Anti-pattern:

    set -e
    trap 'rollback' ERR
    deploy() { docker compose pull; docker compose up -d; }
    deploy                  # where the pull fails, nothing is rolled back

Better:

    set -Ee
    trap 'rollback' ERR

Recommendation:

    Write `set -Ee`, or trap `EXIT` and ask for the status.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://www.gnu.org/software/bash/manual/html_node/Bourne-Shell-Builtins.html#index-trap
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ENDS = regex(r"-[A-Za-z]*e[A-Za-z]*|errexit")
_HANDS_ON = regex(r"-[A-Za-z]*E[A-Za-z]*|errtrace")
_HARMLESS = frozenset({
    "echo", "printf", "local", "return", "exit", "read", "sleep", "date", "log", "true", ":", "tee", "df", "free",
    "awk", "cut", "head", "tail", "wc", "shift", "[[", "[", "test", "set", "cat",
    "export", "declare", "readonly", "unset",
})  # fmt: skip
"""Commands that hardly ever fail, or that end a function on purpose."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script of Bash that traps errors at its top, ends at them, and does its work in functions."""
    for script in inventory.scripts:
        trap = next((item for item in script.commands if _traps(item)), None)
        if trap and _sets(script, _ENDS) and not _sets(script, _HANDS_ON):
            blind = _in_functions(script, trap)
            if blind:
                yield _evidence(script, trap, blind)


def _traps(command: Command) -> bool:
    """Whether a command outside of functions names what is done at an error, and nothing for the end of all."""
    name, *rest = command.words
    return name == "trap" and not command.function and "ERR" in rest[1:] and rest[0] not in ("-", "")


def _sets(script: Script, wanted: re.Pattern[str]) -> bool:
    options = (word for item in script.commands if item.words[0] == "set" for word in item.words[1:])
    return any(wanted.fullmatch(word) for word in options)


def _in_functions(script: Script, trap: Command) -> list[Command]:
    """The commands of called functions, but the handler's, at whose failure the script ends."""
    if any(item.words[0] == "trap" and {"EXIT", "0"} & set(item.words[1:]) for item in script.commands):
        return []
    called = {item.words[0] for item in script.commands if not item.tested and not item.function}
    called |= {item.words[0] for item in script.commands if not item.tested and item.function in called}
    handler = set(re.findall(r"[\w-]+", trap.words[1]))
    ending = (item for item in script.commands if not (item.tested or item.outweighed))
    mine = (item for item in ending if item.function in called - handler)
    functions = {item.function for item in script.commands}
    return [item for item in mine if item.words[0] not in _HARMLESS | functions and "=" not in item.words[0]]


def _evidence(script: Script, trap: Command, blind: list[Command]) -> Evidence:
    handler = trap.words[1].partition(";")[0]
    names = [name for name, _ in Counter(item.function for item in blind).most_common()]
    return Evidence(
        f"{script.path} traps errors with `{handler}`, and {listed(names, limit=3)} "
        f"{'does' if len(names) == 1 else 'do'} the work: functions don't inherit the trap without `set -E`, so that a "
        "command that fails in one ends the script, and the handler isn't called.",
        trap.location,
        subject=f"{script.path}/ERR",
        related=tuple(
            Related(item.location, f"`{' '.join(item.words)[:60]}` may fail without it") for item in blind[:5]
        ),
        recommendation=f"Write `set -E` above the trap in {script.path}.",
        example=files.into(script.path, f"set -E  # functions inherit the trap\n{_written(trap)}"),
    )


def _written(trap: Command) -> str:
    handler, *signals = trap.words[1:]
    return f"trap '{handler}' {' '.join(signals)}"
