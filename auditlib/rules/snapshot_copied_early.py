"""A backup of Redis copies the snapshot before it is written.

`BGSAVE` starts the snapshot and returns at once. What is copied right after it is the `dump.rdb` of the last time, or,
where there was none, nothing.

Anti-pattern:

    redis-cli BGSAVE
    cp /data/dump.rdb /backups/

Better:

    redis-cli --rdb /backups/dump.rdb

Recommendation:

    Take the snapshot by `redis-cli --rdb`, which ends once it is whole, or wait until `LASTSAVE` changes.

References:

- https://redis.io/docs/latest/commands/bgsave/
- https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/#backing-up-redis-data
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTS = frozenset({"bgsave", "BGSAVE"})
_COPIES = frozenset({"cp", "tar", "rsync", "scp", "aws", "gzip", "cat", "mv", "rclone", "docker", "docker-compose"})
_WAITS = frozenset({"lastsave", "LASTSAVE", "persistence", "Persistence", "rdb_bgsave_in_progress"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that starts a snapshot and copies its file without asking whether it is written."""
    if not _STARTS & command_texts.words(inventory):
        return
    for text in command_texts.texts(inventory):
        save = next((index for index, item in enumerate(text.commands) if _STARTS & set(item.words)), None)
        copy = _copy(text.commands[save + 1 :]) if save is not None else None
        if save is not None and copy and not any(map(_asks, text.commands)):
            yield _evidence(text, text.commands[save], copy, slept=any("sleep" in item.words for item in text.commands))


def _copy(commands: tuple[Command, ...]) -> Command | None:
    """The first command that copies the snapshot."""
    for command in commands:
        if command.words[0] in _COPIES and any("dump.rdb" in word or word.endswith(":/data") for word in command.words):
            return command
    return None


def _written(save: Command) -> str:
    """The same call as one that writes the snapshot to its output; the password is in the environment."""
    words = list(save.words)
    if "redis-cli" not in words:
        return "redis-cli --rdb <the file of the backup>"
    place = words.index("redis-cli")
    before, after = words[:place], words[place + 1 :]
    server = [word for option, value in pairwise(after) if option in ("-h", "-p") for word in (option, value)]
    if "-a" in words and "exec" in before:
        before.insert(before.index("exec") + 1, "-e REDISCLI_AUTH")
    if "exec" in before and any("compose" in word for word in before) and "-T" not in before:
        before.insert(before.index("exec") + 1, "-T")
    return " ".join((*before, "redis-cli", *server, "--rdb - > <the file of the backup>"))


def _asks(command: Command) -> bool:
    """Whether a command asks for the end of the saving, be it in a function."""
    return any(word in part for word in _WAITS for part in command.words)


def _evidence(text: CommandText, save: Command, copy: Command, *, slept: bool) -> Evidence:
    return Evidence(
        f"{text.opening} starts a snapshot of Redis by `BGSAVE`, sleeps and copies the file: where the saving takes "
        "longer than the sleep, the copy is the snapshot of the last time."
        if slept
        else f"{text.opening} copies the snapshot of Redis right after `BGSAVE`, which only starts it: the copy is the "
        "snapshot of the last time.",
        copy.location,
        subject=f"{text.name}/bgsave",
        related=(Related(save.location, "the saving starts here, and goes on in the background"),),
        severity=Severity.LOW if slept else None,
        confidence=Confidence.MEDIUM if slept else None,
        recommendation=f"Write the snapshot by `redis-cli --rdb` in {text.path}, which ends once it is whole.",
        example=files.into(text.path, _written(save)),
    )
