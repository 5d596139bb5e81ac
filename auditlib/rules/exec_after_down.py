"""A script runs a command in a container that it has just removed.

`docker compose down` removes the containers, and `docker compose exec` needs one that runs: it answers "service is not
running". Mostly it is the way back that fails so, the restore of a rollback, on the day when it is needed.

Anti-pattern:

    docker compose down
    gunzip -c backup.sql.gz | docker compose exec -T db psql shop
    docker compose up -d

Better:

    docker compose down
    docker compose up -d --wait db
    gunzip -c backup.sql.gz | docker compose exec -T db psql shop
    docker compose up -d

Recommendation:

    Start the service before the command that runs in it, or stop only the others.

References:

- https://docs.docker.com/reference/cli/docker/compose/exec/
- https://docs.docker.com/reference/cli/docker/compose/down/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTS = frozenset({"up", "start", "run", "restart", "create", "unpause"})
_HARMLESS = frozenset({
    "echo", "printf", "log", "sleep", "cd", "pwd", "true", ":", "test", "[", "[[", "set", "export", "read", "local",
    "wait", "rm", "cp", "mv", "mkdir", "touch", "ls", "ln", "find", "chmod", "chown", "cat", "zcat", "gunzip", "gzip",
    "zstd", "tar", "unzip", "openssl", "gpg", "age", "head", "tail", "grep", "sed", "awk", "date", "basename",
    "dirname", "tee", "git", "rsync", "aws", "rclone", "sha256sum", "md5sum", "info", "warn", "success", "error",
})  # fmt: skip
"""Programs, and functions that print, that start no container."""
_Stop = tuple[Command, Call]


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each `exec` of a script, a step or a target after `down`, with nothing between that may start anything."""
    inside = [item for script in inventory.scripts for item in script.commands if item.function]
    functions, own = _starting(inside), {item.function for item in inside}
    for commands in _texts(inventory):
        yield from _in_order(commands, functions, own)


def _texts(inventory: Inventory) -> Iterator[tuple[Command, ...]]:
    yield from (script.commands for script in inventory.scripts)
    for step in inventory.steps:
        yield from (step.commands, step.remote)
    for manifest in inventory.manifests:
        yield from (target.commands for target in manifest.targets)


def _in_order(commands: Iterable[Command], functions: set[str], own: set[str]) -> Iterator[Evidence]:
    """The failing calls of one text; what calls a function or another script may start something."""
    stop: _Stop | None = None
    for command in commands:
        call = compose_command.of(command.words)
        if stop and command.function != stop[0].function:
            stop = None
        if call is None:
            if command.words[0] in functions or not _is_harmless(command, own):
                stop = None
        elif call.verb in ("down", "stop", "kill") and call.is_for_all and not command.conditional:
            stop = (command, call)
        elif call.verb in _STARTS:
            stop = None
        elif call.verb == "exec" and stop and call.options == stop[1].options and not command.cannot_fail:
            yield _evidence(command, call, stop[0])
            stop = None


def _is_harmless(command: Command, own: set[str]) -> bool:
    """Whether a command starts nothing as far as is known: any other program may, be it `just`, `npm` or `./start`."""
    program = command.words[0].lstrip("@-")
    return not _may_start(command) and (program in _HARMLESS or program in own or program.startswith("_"))


def _starting(inside: list[Command]) -> set[str]:
    """The functions that may start something, or call one that may."""
    found = {item.function for item in inside if _may_start(item) or _starts(item)}
    while more := {item.function for item in inside if item.words[0] in found} - found:
        found |= more
    return found


def _starts(command: Command) -> bool:
    call = compose_command.of(command.words)
    return call is not None and call.verb in _STARTS


def _may_start(command: Command) -> bool:
    """Whether a command starts containers in a way of its own: a script, make, Docker itself."""
    words = " ".join(command.words)
    return command.words[0] in ("make", "bash", "sh", "source", ".", "docker", "eval", "systemctl") or ".sh" in words


def _evidence(command: Command, call: Call, stop: Command) -> Evidence:
    service = next(iter(call.services), "the service")
    stopping = " ".join(stop.words)[:60]
    compose = " ".join(stop.words[: stop.words.index(_verb(stop))])
    return Evidence(
        f"`{' '.join(command.words)[:80]}` comes after `{stopping}`, and nothing between starts {service}: the command "
        f"finds no container and fails.",
        command.location,
        subject=f"{command.location.file}/{service}/{command.function}",
        related=(Related(stop.location, f"`{stopping}` ends {service} here"),),
        recommendation=f"Start {service} before it in {command.location.file}: `{compose} up -d --wait {service}`.",
        example=files.into(command.location.file, f"{compose} up -d --wait {service}"),
    )


def _verb(stop: Command) -> str:
    """The verb of the call that ends the containers."""
    found = compose_command.of(stop.words)
    return found.verb if found else ""
