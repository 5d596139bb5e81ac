"""A script prints the secrets that it handles.

After `set -x` a shell writes each command before it runs it, with the values of its variables. What was a variable is
in the terminal, in the log of the scheduler or in the journal of the host, in clear text.

Anti-pattern:

    set -eux
    curl -H "Authorization: Bearer $TOKEN" https://grafana.example.com/api/dashboards/db

Better:

    set -eu
    curl -H "Authorization: Bearer $TOKEN" https://grafana.example.com/api/dashboards/db

Recommendation:

    Leave `-x` out, or turn it off by `set +x` before the first command that handles a secret.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SECRET = regex(
    r"(?:[A-Z]\w*_)?(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|(?:API|SECRET|ACCESS|PRIVATE)_?KEY)|"
    r"(?:[a-z]\w*_)?(?:token|password|passwd|secret|api_?key)"
)
_TRACES = regex(r"-[a-wyz]*x[a-z]*")
_NAMED = 4


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each shell script that traces its commands while they hold the value of a secret."""
    for script in inventory.scripts:
        tracing = next((item for item in script.commands if _switches(item, "-") and not item.conditional), None)
        if tracing:
            later = script.commands[script.commands.index(tracing) + 1 :]
            shown = list(_until_off(tracing, later))
            if shown:
                yield _evidence(script, tracing, shown)


def _switches(command: Command, sign: str) -> bool:
    """Whether a command turns tracing on (`-`) or off (`+`)."""
    if command.words[0] != "set":
        return False
    pairs = zip(command.words, command.words[1:], strict=False)
    short = [word.replace(sign, "-", 1) for word in command.words[1:] if word.startswith(sign)]
    return (f"{sign}o", "xtrace") in pairs or any(map(_TRACES.fullmatch, short))


def _until_off(tracing: Command, later: tuple[Command, ...]) -> Iterator[tuple[Command, str]]:
    """The commands that are traced and hold a secret, each with the variable."""
    off: list[str] = []
    for command in later:
        shell, inside = command.within, not tracing.function or command.function == tracing.function
        if not inside or not _is_in(shell, tracing.within) or any(_is_in(shell, other) for other in off):
            continue
        if _switches(command, "+"):
            off.append(shell)
        elif name := next(filter(_SECRET.fullmatch, command.expands), ""):
            yield command, name


def _is_in(shell: str, other: str) -> bool:
    """Whether a shell is another one or a subshell of it, which does what that was set to do."""
    return shell == other or shell.startswith(f"{other}/")


def _evidence(script: Script, tracing: Command, shown: list[tuple[Command, str]]) -> Evidence:
    names = list(dict.fromkeys(name for _, name in shown))
    return Evidence(
        f"{script.path} runs with `{' '.join(tracing.words)}`, which prints each command with its values, and its "
        f"commands hold {listed(names, _NAMED)}.",
        tracing.location,
        subject="set -x",
        related=tuple(Related(item.location, f"{name} is printed here") for item, name in shown[:6]),
        recommendation=f"Take the tracing out of {script.path}, and start it by `bash -x` where it is needed.",
        example=files.into(script.path, f"{_without(tracing.words)}  # line {tracing.location.line}"),
    )


def _without(words: tuple[str, ...]) -> str:
    """The line that turns tracing on without doing so; a colon, which does nothing, where it did nothing else."""
    text = " ".join(words).replace("-o xtrace", "")
    kept = [word.replace("x", "") if _TRACES.fullmatch(word) else word for word in text.split()]
    left = [word for word in kept if word != "-"]
    return " ".join(left) if len(left) > 1 else ":"
