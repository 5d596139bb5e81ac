"""What the text of a shell script says of its variables, its files, its arguments and its end."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice, pairwise

from msgspec.structs import replace

from auditlib import bashisms, compose_command, waiting
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.inventory.delivery import Command, MovedArgument, Pair, Script
from auditlib.model import Location
from auditlib.patterns import regex
from auditlib.readers import mirrors, script_arguments, shell_ends, swallowing

_LINE = 2_000
_MOST_LINES = 3_000
_PROGRAM = regex(
    r"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?(?P<name>[A-Za-z_]\w*)=(?P<quote>[\"'])"
    r"(?P<value>(?:docker(?:-compose)?|podman(?:-compose)?)(?: [\w./=-]+)*)(?P=quote)[ \t]*(?:#[^\n]*)?$",
    re.M,
)
"""A variable that holds a call of Docker, or the beginning of one, without expansions."""
_SHELL_OPTIONS = regex(r"\s-([a-zA-Z]+)(?=\s|$)")
_SETS = regex(
    r"(?:^|[\s;&|(\"'])(\w+)\+?=|\$\{(\w+):?[-=+?]|\bfor\s+(\w+)\s+in\b|\bselect\s+(\w+)\s+in\b|"
    r"\bprintf\s+-v\s+(\w+)|\bgetopts\s+\S+\s+(\w+)|\b(?:read|mapfile|readarray)\s([^\n;|&<]{1,200})",
    re.M,
)
"""How a shell gives a variable a value, or is content without one."""
_TESTED = regex(r"(?:\s-[nzdef]\s+[\"']?\$\{?|\$\{?(?=PIPESTATUS\b))(\w+)")
_COMPOSE_CALL = regex(r"\b(?:docker|podman)[- ]compose[ \t][^;&|\n\"'`)#]*")
_HOLDS_FILES = regex(
    r"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?(?P<name>[A-Za-z_]\w*)=[\"']?(?:\$\{(?P=name):?-)?"
    r"(?P<files>[\w./:${}-]{1,300}\.ya?ml)\}?[\"']?[ \t]*(?:#[^\n]*)?$",
    re.M,
)
_HOLDS_ENV_FILE = regex(
    r"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?(?P<name>[A-Za-z_]\w*)=[\"']?(?:\$\{(?P=name):?-)?"
    r"(?P<path>[\w./:${}-]{0,300}\.env(?:\.[\w.-]{1,60})?)\}?[\"']?[ \t]*(?:#[^\n]*)?$",
    re.M,
)
"""A variable that holds the path of an environment file."""
_ENV_FILE = frozenset({"--env-file"})
_HELD = regex(
    r"^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?\w+="
    r"[\"']?(?:[^\s\"'/]*/)*([\w.@-]+\.(?:sh|bash))[\"']?[ \t]*$",
    re.M,
)
"""A variable that holds the path of a script."""
_LOOPED = regex(r"^[ \t]*for\s+\w+\s+in\s+([^\n;]{0,200}/\*[^\n;]{0,200})", re.M)
"""A loop over what a pattern finds in a folder."""
_PLAIN_SHELLS = frozenset({"sh", "dash", "ash"})
_TAKES = regex(r"\s*(?:local\s+|readonly\s+)?(?P<name>\w+)=[\"']?\$\{?1(?::?[?-][^}]{0,200})?\}?[\"']?\s*$")
"""A variable that is given the first argument."""
_MOVES = regex(
    r"cd\s+[\"']?\$\(dirname\s+[\"']?\$(?:0|\{BASH_SOURCE(?:\[0\])?\})[\"']?\)(?P<rest>[/.\w-]{0,100})[\"']?\s*(?:$|\|\||;)"
)
"""A script that changes into the folder that it lies in."""
_USES = regex(r"(?:<|\b(?:cat|gunzip|zcat|zstdcat|source)|\s-(?:c|f|dc|d|xzf|xf))\s*[\"']?\$\{?(?P<name>\w+)\b")
_MADE_ABSOLUTE = regex(r"\brealpath\b|\breadlink\s+-f|\babspath\b|\sin\s+/\*\)|==?\s*/\*")
_MOST_BASHISMS = 20
_MOST_ENDS = 20
_WORD = regex(r"\w+")
_ASSIGNED = regex(r"^[ \t]*(?:(?:local|export|readonly|declare)[ \t]+)?(\w{1,80})=", re.M)
_DECIDES = regex(
    r"""\$\{?(?P<name>(?:[A-Z0-9]+_)*(?:ENV|ENVIRONMENT|STAGE))(?::?-[^}\s]{0,40})?\}?["']?\s{1,3}(?:==?|!=)\s{1,3}["']?"""
    r"""(?P<value>prod(?:uction)?|dev(?:elopment)?|stag(?:e|ing)|test(?:ing)?|local)\b"""
)
"""A shell's test of what names the environment."""
_BACKUPS = regex(
    r"^[ \t]*(?:export |readonly |local )?\w{0,30}(?:BACKUP|DUMP)S?_?(?:DIR|PATH|FOLDER|ROOT)=[\"']?(?:\$\{\w+:-)?"
    r"(?:\$\{?(?:PROJECT|REPO)(?:_(?:DIR|ROOT|PATH))?\}?/)?(?P<folder>[\w.-][\w./-]{0,200})\}?[\"']?[ \t]*$",
    re.I | re.M,
)
_KEPT = regex(
    r"^[ \t]*(?:export |readonly |local )?\w{0,30}(?:RETENTION|KEEP)\w{0,20}=[\"']?(?:\$\{[^}:\n]{1,60}:-)?(\d{1,4})\b|"
    r"-mtime\s+\+(\d{1,4})\b",
    re.I | re.M,
)
_UNCHECKED = regex(r"-o\s?[\"']?(StrictHostKeyChecking[= ](?:no|off)|UserKnownHostsFile[= ]/dev/null)\b", re.I)


def described(script: Script, text: str) -> Script:
    """A script with what a shell's says of its variables, its files, and where it ends."""
    file = script.path
    backups = _BACKUPS.search(text)
    return replace(
        script,
        compose_files=tuple(_compose_files(file, text)),
        compose_variables=tuple(_compose_variables(file, text)) if "compose" in text else (),
        sets=_sets(text),
        shell_options="".join(_SHELL_OPTIONS.findall(text.partition("\n")[0][:200])) if script.shebang else "",
        tests=frozenset(_TESTED.findall(text)),
        moved_argument=_moved_argument(file, text) if "dirname" in text and "$" in text else None,
        assigned=tuple(dict.fromkeys((*_HELD.findall(text), *_LOOPED.findall(text)))),
        backup_folder=_backup_folder(text),
        backup_is_relative=backups is not None and "$" not in backups[0].replace("${", "", 1),
        unchecked_hosts=tuple(_unchecked_hosts(file, text)),
        passing_waits=tuple(Pair(item.asked, "", Location(file, item.line)) for item in waiting.passing(text)),
        swallowing=tuple(swallowing.names(file, text, powershell=False)),
        unmounted_mirrors=tuple(mirrors.of_unmounted(file, text)),
        kept_days=_kept_days(text),
        arguments=script_arguments.of_shell(text),
        ends_at_zero=tuple(shell_ends.at_zero(file, text)) if script.interpreter not in _PLAIN_SHELLS else (),
        ends_at_condition=tuple(islice(shell_ends.at_condition(file, text), _MOST_ENDS)) if "&&" in text else (),
        for_bash=tuple(_for_bash(file, text)) if script.interpreter in _PLAIN_SHELLS else (),
    )


def filled_in(found: tuple[Command, ...], text: str) -> tuple[Command, ...]:
    """The commands, with what variables of the script hold: a call of Docker, an environment file."""
    return _with_env_files(_with_programs(found, text), text)


def _with_programs(found: tuple[Command, ...], text: str) -> tuple[Command, ...]:
    """The commands, Docker in the place of a variable of the script that stands for it (`$COMPOSE up`)."""
    known: dict[str, list[str]] = {}
    for match in _PROGRAM.finditer(text):
        known.setdefault(match["name"], match["value"].split())
    return tuple(
        replace(item, words=(*known[name], *item.words[1:]))
        if item.words and (name := item.words[0].strip("${}")) in known and item.words[0].startswith("$")
        else item
        for item in found
    )


def _with_env_files(found: tuple[Command, ...], text: str) -> tuple[Command, ...]:
    """The commands, the path of an environment file in the place of a variable that holds it: behind `--env-file`, and
    of what copies one.
    """
    known = {match["name"]: match["path"] for match in _HOLDS_ENV_FILE.finditer(text)} if ".env" in text else {}
    return tuple(
        replace(item, words=tuple(_with_env_file(item.words, known))) if _takes_env_file(item.words, known) else item
        for item in found
    )


def _takes_env_file(words: tuple[str, ...], known: dict[str, str]) -> bool:
    return bool(known) and (words[:1] == ("cp",) or not _ENV_FILE.isdisjoint(words))


def _with_env_file(words: tuple[str, ...], known: dict[str, str]) -> Iterator[str]:
    yield from words[:1]
    for before, word in pairwise(words):
        meant = word.startswith("$") and (before in _ENV_FILE or words[0] == "cp")
        name = word.removeprefix("$").strip("{}") if meant else ""
        yield known.get(name, word)


def branches(file: str, text: str) -> Iterator[EnvironmentBranch]:
    """Where a shell compares the name of an environment that it is given, and doesn't set by itself."""
    own = set(_ASSIGNED.findall(text))
    for number, line in enumerate(text.splitlines(), 1) if "ENV" in text or "STAGE" in text else ():
        for match in _DECIDES.finditer(line[:1_000]) if not line.lstrip().startswith("#") else ():
            if match["name"] not in own:
                yield EnvironmentBranch(match["name"], (match["value"],), (), Location(file, number, match.start() + 1))


def _kept_days(text: str) -> tuple[int, ...]:
    if "-mtime" not in text:
        return ()
    return tuple(dict.fromkeys(int(first or second) for first, second in _KEPT.findall(text)))


def _backup_folder(text: str) -> str:
    match = _BACKUPS.search(text)
    folder = posixpath.normpath(match["folder"]) if match else ""
    return "" if folder.startswith("..") or folder == "." else folder


def _compose_files(file: str, text: str) -> Iterator[Pair]:
    """The Compose files that calls name, but for those in comments and in what is only printed."""
    for number, line in enumerate(text.splitlines(), start=1):
        if "compose" in line and not line.lstrip().startswith(("#", "echo", "printf")):
            for said in _COMPOSE_CALL.findall(line[:_LINE]):
                call = compose_command.of([*said.split(), "ps"])  # a variable may hold all but the verb
                yield from (Pair("compose", name, Location(file, number)) for name in (call.files if call else ()))


def _compose_variables(file: str, text: str) -> Iterator[Pair]:
    for match in _HOLDS_FILES.finditer(text):
        yield Pair(match["name"], match["files"], Location(file, text.count("\n", 0, match.start()) + 1))


def _unchecked_hosts(file: str, text: str) -> Iterator[Pair]:
    """The lines that switch the check of the host's key off, but for comments and what is only printed."""
    if "HostKeyChecking" not in text and "KnownHostsFile" not in text:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        found = None if line.lstrip().startswith(("#", "echo", "printf")) else _UNCHECKED.search(line[:_LINE])
        if found:
            yield Pair(found[1], "sshpass" if "sshpass" in line else "", Location(file, number))


def _moved_argument(file: str, text: str) -> MovedArgument | None:
    """The first use of a file that the script was given, after a `cd` to where the script is."""
    if _MADE_ABSOLUTE.search(text):
        return None
    names, folder = {"1"}, None
    for number, line in enumerate(text.splitlines()[:_MOST_LINES], start=1):
        if taken := _TAKES.match(line[:_LINE]):
            names.add(taken["name"])
        elif moves := _MOVES.match(line[:_LINE]):
            folder = posixpath.normpath(posixpath.join(posixpath.dirname(file), moves["rest"].lstrip("/")))
        elif folder is not None and (used := _USES.search(line[:_LINE])) and used["name"] in names:
            own = re.escape(posixpath.basename(file))
            told = re.search(rf"^[ \t]*#[^\n]{{0,80}}{own}[ \t]+([\w.-]+/[\w./-]+)", text, re.M)
            return MovedArgument(used["name"], folder, told[1] if told else "", Location(file, number))
    return None


def _for_bash(file: str, text: str) -> Iterator[Pair]:
    """What only Bash knows, in a script for another shell."""
    for item in islice(bashisms.found(text), _MOST_BASHISMS):
        said = item.said if item.everywhere else f"dash {item.said}"
        yield Pair(said, item.outcome, Location(file, item.line))


def _sets(text: str) -> frozenset[str]:
    return frozenset(name for groups in _SETS.findall(text) for part in groups for name in _WORD.findall(part))
