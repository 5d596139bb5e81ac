"""A script reads an environment file, and the programs that it calls don't get what is in it.

`. ./restic.env` sets variables of the script itself. A program that looks for `RESTIC_PASSWORD_FILE`, or Compose, which
fills in `${DB_PASSWORD}`, sees only those that are exported: restic asks for a password, and Compose fills in nothing.

Anti-pattern:

    . ./restic.env
    restic backup /srv

Better:

    set -a
    . ./restic.env
    set +a
    restic backup /srv

Recommendation:

    Read the file between `set -a` and `set +a`, which exports what is assigned there.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://restic.readthedocs.io/en/stable/040_backup.html#environment-variables
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib import compose_command
from auditlib.compose.discovery import BASES
from auditlib.conventions import command_texts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_READS = frozenset({"source", "."})
_FILE = regex(r"(?:^|[/}])(?P<name>(?:[\w-]+)?\.env(?:\.[\w-]+)*|[\w.-]+\.env)$")
_OF_PROGRAMS = {
    "restic": regex(r"RESTIC_(?:REPOSITORY|PASSWORD)\w*|AWS_\w+|B2_\w+"),
    "borg": regex(r"BORG_\w+"),
    "aws": regex(r"AWS_\w+"),
    "rclone": regex(r"RCLONE_\w+"),
    "psql": regex(r"PG(?:HOST|PORT|USER|PASSWORD|DATABASE|SSLMODE)"),
    "pg_dump": regex(r"PG(?:HOST|PORT|USER|PASSWORD|DATABASE|SSLMODE)"),
    "pg_restore": regex(r"PG(?:HOST|PORT|USER|PASSWORD|DATABASE|SSLMODE)"),
    "mysqldump": regex(r"MYSQL_(?:PWD|HOST)"),
    "terraform": regex(r"TF_VAR_\w+|AWS_\w+"),
    "duplicity": regex(r"PASSPHRASE|AWS_\w+"),
    "mc": regex(r"MC_HOST_\w+"),
}
"""What programs look for in their environment by themselves."""


class _Loss(Struct, frozen=True):
    """A script that reads a file, and the call that doesn't get what is in it."""

    script: Script
    read: Command
    file: EnvFile
    call: Command
    names: list[str]
    program: str


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each known file that scripts read without exporting it before they call what looks for its variables."""
    found: defaultdict[tuple[str, str], list[_Loss]] = defaultdict(list)
    for script in inventory.scripts:
        read = next((item for item in script.commands if _reads(item)), None)
        file = _file(inventory, script, read) if read and not _exports(script.commands) else None
        if read and file and (needed := _needed(inventory, script, read, file)):
            found[file.path, needed[2]].append(_Loss(script, read, file, *needed))
    for losses in found.values():
        yield _evidence(losses)


def _reads(command: Command) -> bool:
    return command.words[0] in _READS and len(command.words) > 1 and _FILE.search(command.words[1]) is not None


def _exports(commands: tuple[Command, ...]) -> bool:
    """Whether a script exports all that it sets."""
    return any(
        item.words[0] == "set" and any(word == "allexport" or (word[:1] == "-" and "a" in word) for word in item.words)
        for item in commands
    )


def _file(inventory: Inventory, script: Script, read: Command) -> EnvFile | None:
    """The file of the repository, or the template, that a command reads."""
    match = _FILE.search(read.words[1])
    name = match["name"] if match else ""
    known = [item for item in inventory.env_files if name == posixpath.basename(item.copied_to or item.path)]
    folder = posixpath.dirname(script.path)
    near = [item for item in known if posixpath.dirname(item.path) in (folder, "")]
    return next(iter(near or known), None)


def _needed(
    inventory: Inventory, script: Script, read: Command, file: EnvFile
) -> tuple[Command, list[str], str] | None:
    """The first call after it of what looks for variables of the file, with these and the program's name."""
    exported = {word.partition("=")[0] for item in script.commands if item.words[0] in ("export", "declare")
                for word in item.words[1:]}  # fmt: skip
    names = {line.name for line in file.lines if not line.malformed} - exported
    start = script.commands.index(read) + 1
    for command in script.commands[start:]:
        program = command_texts.program(command.words)
        pattern = _OF_PROGRAMS.get(program)
        found = sorted(name for name in names - set(command.assignments) if pattern and pattern.fullmatch(name))
        if not found and (call := compose_command.of(command.words)) and call.verb in ("up", "run", "config", "pull"):
            program, found = "Compose", _filled_in(inventory, call, file, names)
        if found:
            return command, found, program
    return None


def _filled_in(inventory: Inventory, call: compose_command.Call, file: EnvFile, names: set[str]) -> list[str]:
    """The variables of the file that Compose fills in for a call, and reads from no file itself."""
    if any(word.startswith("--env-file") for word in call.options):
        return []
    wanted = {posixpath.basename(name) for name in call.files[:1]} or set(BASES)
    mine = [item for item in inventory.base_projects if posixpath.basename(item.location.file) in wanted]
    if len(mine) != 1:
        return []
    own = posixpath.join(posixpath.dirname(mine[0].location.file), ".env")
    used = {item.name for item in inventory.variables if item.project == mine[0].name}
    return sorted(names & used) if (file.copied_to or file.path) != own else []


def _evidence(losses: list[_Loss]) -> Evidence:
    first, *others = losses
    script, program, names = first.script, first.program, first.names
    path = first.file.copied_to or first.file.path
    line = next(item for item in first.file.lines if item.name in names)
    verb = "fills in" if program == "Compose" else "looks for"
    too = (
        f" {listed(item.script.path for item in others)} {'does' if len(others) == 1 else 'do'} so too."
        if others
        else ""
    )
    return Evidence(
        f"{script.path} reads {posixpath.basename(path)} without exporting it, and {program}, which {verb} "
        f"{listed(names)}, doesn't get {'it' if len(names) == 1 else 'them'}, unless whoever calls the script has "
        f"exported it before.{too}",
        first.read.location,
        subject=f"{script.path}/{program}",
        related=(
            Related(first.call.location, f"{program} is called here"),
            Related(line.location, f"{line.name} is told here"),
            *(Related(item.read.location, "read without exporting it too", member=True) for item in others),
        ),
        recommendation=f"Read the file between `set -a` and `set +a` in {script.path}.",
        example=files.into(script.path, f"set -a\n{' '.join(first.read.words)}\nset +a"),
    )
