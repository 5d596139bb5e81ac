"""A dump that breaks off is kept as a backup.

The status of a pipe is that of its last command. Where `pg_dump` can't connect, or ends half way, `gzip` writes what it
got and reports a success: the file is there, with today's date, and nobody finds out before it is needed. A script that
does end there leaves the half file under the name of a backup all the same.

Anti-pattern:

    #!/bin/sh
    set -e
    pg_dump shop | gzip > /backups/shop.sql.gz

Better:

    #!/bin/bash
    set -euo pipefail
    pg_dump shop | gzip > /backups/shop.sql.gz.part
    mv /backups/shop.sql.gz.part /backups/shop.sql.gz

Recommendation:

    Set `pipefail`, which Bash knows, and give the file its name once the dump is whole.

References:

- https://www.gnu.org/software/bash/manual/html_node/Pipelines.html
- https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import backups
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_PACKS = frozenset({"gzip", "pigz", "zstd", "xz", "bzip2", "lz4", "openssl", "gpg", "age"})
_REMOVED = "trap 'rm -f <the file that the dump goes to>' ERR   # before the dump"
_TIDY = frozenset({"mv", "trap", "rm", "tar", "zip", "7z", "rclone", "restic", "borg", "install", "ln"})
_OWN_STATUS = regex(r"\bpipefail\b|\bPIPESTATUS\b")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script with the dumps whose failure the pipe behind them hides, or whose half file looks like a backup."""
    for script in inventory.scripts:
        if dumps := _piped(script.commands):
            yield _evidence(script, dumps)
        elif backups.is_script(script) and (left := _left(script.commands)):
            yield _of_half_file(script, left)


def _tidies(commands: tuple[Command, ...]) -> bool:
    """Whether a script renames what is whole, removes what isn't, or packs the dump into something else."""
    return any(item.words and (item.words[0].rpartition("/")[2] in _TIDY or _packs_file(item)) for item in commands)


def _packs_file(command: Command) -> bool:
    """Whether a packer is given a file by name, and gives it another one."""
    return command.words[0] in ("gzip", "pigz", "zstd", "xz") and any(
        not item.startswith("-") for item in command.words[1:]
    )


def _left(commands: tuple[Command, ...]) -> list[tuple[Command, str, str]]:
    """The dumps whose pipe ends in a file that keeps its name, with their program and that name."""
    found = []
    for index, command in enumerate(commands):
        match = backups.dump(command)
        last = next((item for item in commands[index:] if not item.caught and _is_of_pipe(item, command)), None)
        if match and last and last.writes and not last.cannot_fail:
            found.append((command, match["tool"], last.writes[0]))
    return [] if _tidies(commands) else found


def _is_of_pipe(item: Command, dump: Command) -> bool:
    """Whether a command may stand at the end of the pipe that begins with a dump: it is the dump, or packs it."""
    return item is dump or (dump.caught and item.words[:1] != () and item.words[0] in _PACKS)


def _piped(commands: tuple[Command, ...]) -> list[tuple[Command, str, str]]:
    """The dumps that are piped into what packs them, with the names of both programs."""
    if any(_OWN_STATUS.search(" ".join(command.words)) for command in commands):
        return []
    found = []
    for command, then in pairwise(commands):
        match = backups.dump(command) if command.caught else None
        if match and then.words[0] in _PACKS:
            found.append((command, match["tool"], then.words[0]))
    return found


def _evidence(script: Script, dumps: list[tuple[Command, str, str]]) -> Evidence:
    (first, tool, packs), *others = dumps
    bash = script.interpreter == "bash"
    start = "" if bash else "#!/bin/bash\n"
    return Evidence(
        f"{script.path} pipes {tool} into {packs} without `pipefail`: where {tool} fails, the script goes on, and what "
        "it wrote so far stays as a backup.",
        first.location,
        subject=f"{script.path}/{tool}",
        related=tuple(Related(item.location, f"{name} is piped too", member=True) for item, name, _ in others),
        recommendation=f"Begin {script.path} with `set -eo pipefail`{'' if bash else ', and have Bash run it'}.",
        example=files.into(script.path, f"{start}set -eo pipefail\n{_REMOVED}"),
    )


def _of_half_file(script: Script, dumps: list[tuple[Command, str, str]]) -> Evidence:
    (first, tool, file), *others = dumps
    then = "the script ends" if first.asked else "the script goes on"
    return Evidence(
        f"{script.path} writes what {tool} gives straight to {file}: where {tool} breaks off, {then}, and the "
        "half file stays under the name of a backup.",
        first.location,
        subject=f"{script.path}/{tool}/half",
        related=tuple(Related(item.location, f"{name} too", member=True) for item, name, _ in others),
        recommendation=f"Write to a name of its own such as {file}.part, and rename it once {tool} has succeeded.",
        severity=Severity.LOW,
        example=files.into(script.path, f'# <the dump as it stands there> > "{file}.part"\nmv "{file}.part" "{file}"'),
    )
