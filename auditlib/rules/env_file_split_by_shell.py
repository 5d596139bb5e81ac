"""A script exports an environment file in a way that splits values with spaces.

`export $(grep -v '^#' .env | xargs)` takes the file apart into words: `xargs` removes the quotes, and the shell splits
what is left at every space and replaces `*` by the names of files. Of `SCHEDULE=0 2 * * *` only the 0 arrives; the rest
is taken for further names, for which `export` fails, and with `set -e` the script ends there.

Anti-pattern:

    # .env: BACKUP_SCHEDULE=0 2 * * *
    export $(grep -v '^#' .env | xargs)

Better:

    # .env: BACKUP_SCHEDULE="0 2 * * *"
    set -a; . ./.env; set +a

Recommendation:

    Have the shell read the file itself (`set -a; . ./.env; set +a`), with values that hold spaces in quotes.

References:

- https://www.gnu.org/software/bash/manual/bash.html#Word-Splitting
- https://www.shellcheck.net/wiki/SC2046
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvFile, EnvLine
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SPLITS = regex(r"^\$\([^\n]{1,200}\|\s*xargs\s*\)$")
_FILE = regex(r"(?<![\w.*-])[\w-]*\.env(?:\.[\w-]+)*(?![\w*])")


_SHOWN = 30
"""Lines, and files of one name, that are looked at: no message names more."""
_File = tuple[int, list[EnvLine]]


class _Split(Struct, frozen=True):
    """A command that exports the words of a file, and the lines that it breaks."""

    export: Command
    broken: list[EnvLine]


@rule(area=Area.CONFIGURATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each environment file with values that hold spaces one finding for all scripts that export its words."""
    found: defaultdict[str, list[_Split]] = defaultdict(list)
    by_name = _by_name(inventory)
    for script in inventory.scripts if by_name else ():
        exports = [item for item in script.commands if _is_split(item)] if "IFS" not in script.sets else []
        broken = _broken(by_name, script, exports[0]) if exports else []
        broken = [line for line in broken if _may_be_there(inventory, exports[0], line)]
        broken = [line for line in broken if line.name not in " ".join(exports[0].words)]  # `grep -v NAME`
        if broken:
            found[broken[0].location.file].append(_Split(exports[0], broken))
    yield from map(_evidence, found.values())


def _is_split(command: Command) -> bool:
    return command.words[:1] == ("export",) and any(map(_SPLITS.search, command.words[1:]))


def _broken(by_name: Mapping[str, list[_File]], script: Script, export: Command) -> list[EnvLine]:
    """The lines with spaces of the file that is meant, or of its template."""
    text = " ".join(export.words)
    if not _FILE.search(text):  # a variable holds the path: what the script speaks of elsewhere
        text = " ".join(word for item in script.commands for word in item.words)
    named = set(_FILE.findall(text))
    meant = {place: lines for name in named for place, lines in by_name.get(name, ())}
    return [line for place in sorted(meant)[:_SHOWN] for line in meant[place]]


def _may_be_there(inventory: Inventory, export: Command, line: EnvLine) -> bool:
    """Whether a file may lie where the script reads one: in a folder that a variable holds, only if no other does."""
    folder = export.folder or ""
    mine = {name for item in inventory.env_files if item.path == line.location.file for name in _names(item)}
    places = {posixpath.dirname(item.path) for item in inventory.env_files if not mine.isdisjoint(_names(item))}
    if "$" in folder:
        return len(places) == 1
    return folder in ("", ".") or folder not in places or posixpath.dirname(line.location.file) == folder


def _by_name(inventory: Inventory) -> Mapping[str, list[_File]]:
    """By each of a file's names its place among all, and the first of its lines that hold spaces."""
    found: defaultdict[str, list[_File]] = defaultdict(list)
    for place, file in enumerate(inventory.env_files):
        lines = list(islice(filter(_has_spaces, file.lines), _SHOWN))
        for name in _names(file) if lines else ():
            if len(found[name]) < _SHOWN:
                found[name].append((place, lines))
    return found


def _names(file: EnvFile) -> set[str]:
    """What a file is called, and the one that people make of it."""
    return {posixpath.basename(path) for path in (file.path, file.copied_to) if path}


def _has_spaces(line: EnvLine) -> bool:
    shown = line.value is not None and not line.value.secret and not line.commented and not line.malformed
    return shown and line.value is not None and " " in line.value.text.strip()


def _evidence(found: list[_Split]) -> Evidence:
    first, *others = found
    broken = first.broken
    names = listed(dict.fromkeys(line.name for line in broken), limit=3)
    scripts = listed(item.export.location.file for item in found)
    sure = bool(_FILE.search(" ".join(first.export.words)))
    return Evidence(
        f"{scripts} {'exports' if not others else 'export'} the words of an environment file, and {names} of "
        f"{broken[0].location.file} {'holds' if len(broken) == 1 else 'hold'} spaces: the value ends at the first one, "
        "and `export` takes what follows for names, or fails at it.",
        first.export.location,
        subject=broken[0].location.file,
        related=(
            *(Related(item.export.location, "exports its words too", member=True) for item in others),
            *(Related(line.location, f"{line.name} holds spaces") for line in broken[:5]),
        ),
        recommendation=f"Read the file by `set -a; . <file>; set +a`, and put the value of {names} into quotes.",
        confidence=None if sure else Confidence.MEDIUM,
        example=files.into(first.export.location.file, "set -a; . <the environment file>; set +a"),
    )
