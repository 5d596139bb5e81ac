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
        if save is not None and copy:
            yield _evidence(text, text.commands[save], copy)


def _copy(commands: tuple[Command, ...]) -> Command | None:
    """The first command that copies the snapshot, if none before it asks for the end of the saving."""
    for command in commands:
        if any(word in part for word in _WAITS for part in command.words):
            return None
        if command.words[0] in _COPIES and any("dump.rdb" in word or word.endswith(":/data") for word in command.words):
            return command
    return None


def _pause(text: CommandText, save: Command, copy: Command) -> Command | None:
    """The `sleep` between the two, long enough for a small snapshot."""
    between = text.commands[text.commands.index(save) + 1 : text.commands.index(copy)]
    return next((item for item in between if item.words[0] == "sleep" and len(item.words) > 1), None)


def _written(save: Command) -> str:
    """The same call as one that writes the snapshot to its output; the password is in the environment."""
    words = list(save.words)
    if "redis-cli" not in words:
        return "redis-cli --rdb <the file of the backup>"
    before = words[: words.index("redis-cli")]
    if "-a" in words and "exec" in before:
        before.insert(before.index("exec") + 1, "-e REDISCLI_AUTH")
    return " ".join((*before, "redis-cli --rdb - > <the file of the backup>"))


def _evidence(text: CommandText, save: Command, copy: Command) -> Evidence:
    pause = _pause(text, save, copy)
    when = f"{pause.words[1]} seconds after" if pause else "right after"
    then = "the copy is the snapshot of the last time"
    return Evidence(
        f"{text.opening} copies the snapshot of Redis {when} `BGSAVE`, which only starts it: "
        f"{f'where the saving takes longer, {then}' if pause else then}.",
        copy.location,
        subject=f"{text.name}/bgsave",
        related=(Related(save.location, "the saving starts here, and goes on in the background"),),
        recommendation=f"Write the snapshot by `redis-cli --rdb` in {text.path}, which ends once it is whole.",
        severity=Severity.LOW if pause else None,
        example=files.into(text.path, _written(save)),
    )
