"""A backup that fails leaves the services stopped.

The script stops the services, copies, and starts them again. With `set -e` it ends at the first error, a full disk for
instance, before it comes to the start: what was to protect the service has ended it, at night.

Anti-pattern:

    set -e
    docker compose stop
    tar czf /backups/data.tar.gz ./data
    docker compose start

Better:

    set -e
    trap 'docker compose start' EXIT
    docker compose stop
    tar czf /backups/data.tar.gz ./data

Recommendation:

    Start the services in a `trap` on EXIT, which runs however the script ends.

References:

- https://www.gnu.org/software/bash/manual/html_node/Bourne-Shell-Builtins.html#index-trap
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from auditlib import command_words, compose_command
from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STOPS = frozenset({"stop", "down", "pause"})
_STARTS = frozenset({"start", "up", "unpause", "restart"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every shell script that ends at an error between stopping and starting services, and traps nothing."""
    for script in filter(backups.is_script, inventory.scripts):
        traps = any(command.words[:1] == ("trap",) for command in script.commands)
        restores = "restor" in script.path.lower()  # what is half restored had better stay down
        if not (traps or restores) and any(map(_ends_at_errors, script.commands)):
            together = _together(script)
            for commands in together.values():
                yield from _between(script, commands, together)


def _ends_at_errors(command: Command) -> bool:
    """`set -e`, alone or with other options."""
    first, *options = command.words or ("",)
    short = any(item.startswith("-") and not item.startswith("--") and "e" in item for item in options)
    return first == "set" and (short or "errexit" in options)


def _together(script: Script) -> Mapping[str, list[Command]]:
    """The commands that follow each other: those of each function by its name, and those outside of all."""
    found: defaultdict[str, list[Command]] = defaultdict(list)
    for command in script.commands:
        found[command.function].append(command)
    return dict(found)


def _between(script: Script, commands: list[Command], functions: Mapping[str, list[Command]]) -> Iterator[Evidence]:
    stopped = copies = None
    goes_on = False
    for index, command in enumerate(commands):
        if command.words[:1] == ("set",):
            goes_on = "+e" in command.words or (goes_on and not _ends_at_errors(command))
        if stopped and copies and _turns(command, _STARTS):
            yield _evidence(script, stopped, copies, command)
            return
        if stopped is None and _turns(command, _STOPS):
            stopped = command
        elif stopped and not goes_on and _ends_script(command, commands[index + 1 : index + 2]):
            called = functions.get(command.words[0], ()) if command.words else ()
            copies = copies or next((item for item in (command, *called) if backups.copies(item)), None)


def _ends_script(command: Command, following: list[Command]) -> bool:
    """Whether a failure ends the script: no condition asks for it, or one that ends the script itself (`|| exit 1`)."""
    gives_up = any(item.words[:1] == ("exit",) and item.location.line == command.location.line for item in following)
    return not command.cannot_fail and (not command.tested or gives_up)


def _turns(command: Command, words: frozenset[str]) -> bool:
    """Whether a command of Docker or Compose stops, or starts, services."""
    program, *rest = command_words.core(list(command.words)) or [""]
    call = compose_command.of(command.words)
    verb = call.verb if call else command_words.split(rest)[0] if program == "docker" else ""
    return verb in words


def _evidence(script: Script, stopped: Command, copies: Command, started: Command) -> Evidence:
    again = " ".join(started.words)
    return Evidence(
        f"{script.path} stops the services, and with `set -e` it ends before it starts them again if the copy fails.",
        stopped.location,
        subject=script.path,
        related=(
            Related(copies.location, "an error here ends the script"),
            Related(started.location, "what isn't reached then"),
        ),
        recommendation=f"Write the start into a `trap` on EXIT, before {script.path} stops anything.",
        example=files.into(script.path, f"trap '{again}' EXIT"),
    )
