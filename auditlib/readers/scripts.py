"""Scripts: programs outside the applications, what they are for, and what shell scripts run.

A script is a file with a `#!` line, a shell file, or a program below a folder that is called for scripts.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath

from msgspec.structs import replace

from auditlib import compose_command, waiting
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.inventory.delivery import Command, Pair, Script
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import script_arguments
from auditlib.readers.reading import Reading, each
from auditlib.readers.shell import commands, is_shell
from auditlib.source import Source, Unreadable

KIND = "script"
FOLDERS = frozenset({"scripts", "script", "bin", "tools", "ops", "deploy", "deployment", "hack", "ci", ".ci"})
INTERPRETERS = {
    ".sh": "sh", ".bash": "bash", ".zsh": "zsh", ".py": "python", ".js": "node", ".mjs": "node", ".ts": "node",
    ".rb": "ruby", ".pl": "perl", ".ps1": "pwsh", ".php": "php", ".sql": "sql",
}  # fmt: skip
_SHELL_ENDINGS = frozenset({".sh", ".bash", ".zsh"})
_WRAPPERS = frozenset({"mvnw", "gradlew"})
"""Scripts without an ending that are programs whether their mode says so or not."""
_SHEBANG = regex(r"#!\s*(?P<program>\S+)(?:\s+(?:-S\s+)?(?P<argument>[^\s-]\S*))?")
_COMMENT = regex(r"\s*(?:#|//|--|\*|/\*\*?)\s?(?P<text>.*?)\s*(?:\*/)?$")
_SETS = regex(
    r"(?:^|[\s;&|(\"'])(\w+)\+?=|\$\{(\w+):?[-=+?]|\bfor\s+(\w+)\s+in\b|\bselect\s+(\w+)\s+in\b|"
    r"\bprintf\s+-v\s+(\w+)|\bgetopts\s+\S+\s+(\w+)|\b(?:read|mapfile|readarray)\s([^\n;|&<]{1,200})",
    re.M,
)
"""How a shell gives a variable a value, or is content without one."""
_COMPOSE_CALL = regex(r"\b(?:docker|podman)[- ]compose[ \t][^;&|\n\"'`)#]*")
_HOLDS_FILES = regex(
    r"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?(?P<name>[A-Za-z_]\w*)=[\"']?(?:\$\{(?P=name):?-)?"
    r"(?P<files>[\w./:${}-]{1,300}\.ya?ml)\}?[\"']?[ \t]*(?:#[^\n]*)?$",
    re.M,
)
_PROGRAM = regex(
    r"^[ \t]*(?:(?:export|readonly|local)[ \t]+)?(?P<name>[A-Za-z_]\w*)=(?P<quote>[\"'])"
    r"(?P<value>(?:docker(?:-compose)?|podman(?:-compose)?)(?: [\w./=-]+)*)(?P=quote)[ \t]*(?:#[^\n]*)?$",
    re.M,
)
"""A variable that holds a call of Docker, or the beginning of one, without expansions."""
_LINE = 2_000
_HELD = regex(
    r"^[ \t]*(?:(?:export|readonly|local|declare)[ \t]+)?\w+="
    r"[\"']?(?:[^\s\"'/]*/)*([\w.@-]+\.(?:sh|bash))[\"']?[ \t]*$",
    re.M,
)
"""A variable that holds the path of a script."""
_STRICT = regex(r"\s*set\s+-(?:[a-z]*e[a-z]*\b|o\s+errexit)|#!.*\bbash\s+-[a-z]*e")
_FUNCTION = regex(r"(?:function\s+)?(?P<name>[\w-]+)\s*\(\)")
_NUMBER = regex(r"(?:^|[\s;])(\w+)=[\"']?(\d+)[\"']?(?=$|[\s;])")
_COUNTS = regex(r"\s*\(\(\s*(?P<name>\w+)\+\+\s*\)\)\s*(?:;|#|$)")
_LINE_OF_ENV = regex(r"[\"']([A-Z][A-Z0-9_]+)=")
"""A line of an environment file in a text of PowerShell."""
_WRITES = regex(
    r"(?i)\b(?:Copy-Item|Move-Item|Rename-Item|New-Item|Out-File|Set-Content|Add-Content|copy|move|WriteAll\w+)\b|>"
)
_PATH = regex(r"(?<![\w$./@-])[\w$./@-]*[\w@-]\.[\w.-]*\w")
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
_SCHEDULE = regex(
    r"^[ \t]*#[^\n]{0,200}?(?:\bcron|crontab|OnCalendar|systemd[- ]timer|task scheduler|计划任务|定时任务)", re.I | re.M
)
"""A comment that says what starts a script, and when."""
_MARKER = regex(r"(?i)shellcheck|-\*-|coding[:=]|eslint|prettier|copyright|spdx|licen[cs]e|set -|^[-=#*\s]*$")


def read(source: Source) -> Reading:
    """A Script for each file that is one. Modules of a package (`__init__.py`) and tests are none."""
    return each(source, [file for file in source.files if _may_be_script(source, file)], KIND, _read)


def _may_be_script(source: Source, file: str) -> bool:
    path = PurePosixPath(file)
    if path.name == "__init__.py" or path.name.startswith(("test_", "conftest")) or ".config." in path.name:
        return False
    if path.suffix in _SHELL_ENDINGS:
        return True
    if path.suffix in INTERPRETERS:
        return bool(FOLDERS & set(path.parts[:-1])) and "tests" not in path.parts
    known = source.is_executable(file) or path.parent.name in FOLDERS or path.name in _WRAPPERS
    return not path.suffix and known and _has_shebang(source, file)


def _has_shebang(source: Source, file: str) -> bool:
    """Whether a file without an ending is a program; one that can't be read may be."""
    try:
        return source.text(file).startswith("#!")
    except Unreadable:
        return True


def _read(source: Source, file: str) -> Iterator[Script | EnvironmentBranch | Coverage]:
    text = source.text(file)
    interpreter = _interpreter(file, text)
    if not interpreter:
        yield Coverage(file, KIND, Read.SKIPPED, "its `#!` line names no program")
        return
    found = _with_programs(commands(text, file, 1, source.vault), text) if is_shell(interpreter) else ()
    in_python = interpreter.startswith("python") or file.endswith(".py")
    summary = _docstring(text) if in_python else _comment(text)
    if found:
        yield from _branches(file, text)
    yield Script(
        path=file,
        interpreter=interpreter,
        summary=source.vault.mask(summary),
        executable=source.is_executable(file),
        commands=found,
        location=Location(file),
        shebang=text.startswith("#!"),
        carriage_return=file in source.carriage_returns and "eol=lf" not in source.glance(".gitattributes"),
        compose_files=tuple(_compose_files(file, text)) if found else (),
        compose_variables=tuple(_compose_variables(file, text)) if found and "compose" in text else (),
        sets=_sets(text) if found else frozenset(_LINE_OF_ENV.findall(text)) if interpreter == "pwsh" else frozenset(),
        assigned=tuple(dict.fromkeys(_HELD.findall(text))) if found else (),
        backup_folder=_backup_folder(text) if found else "",
        unchecked_hosts=tuple(_unchecked_hosts(file, text)) if found else (),
        passing_waits=tuple(Pair(item.asked, "", Location(file, item.line)) for item in waiting.passing(text))
        if found
        else (),
        tells_schedule=_SCHEDULE.search(text) is not None,
        makes=tuple(dict.fromkeys(_makes(text))) if interpreter == "pwsh" else (),
        kept_days=_kept_days(text) if found else (),
        arguments=script_arguments.of_shell(text) if found else script_arguments.of_python(text) if in_python else None,
        ends_at_zero=tuple(_ends_at_zero(file, text)) if found and "++" in text else (),
    )


def _kept_days(text: str) -> tuple[int, ...]:
    if "-mtime" not in text:
        return ()
    return tuple(dict.fromkeys(int(first or second) for first, second in _KEPT.findall(text)))


def _backup_folder(text: str) -> str:
    match = _BACKUPS.search(text)
    folder = posixpath.normpath(match["folder"]) if match else ""
    return "" if folder.startswith("..") or folder == "." else folder


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


def _branches(file: str, text: str) -> Iterator[EnvironmentBranch]:
    """Where a shell compares the name of an environment that it is given, and doesn't set by itself."""
    own = set(_ASSIGNED.findall(text))
    for number, line in enumerate(text.splitlines(), 1) if "ENV" in text or "STAGE" in text else ():
        for match in _DECIDES.finditer(line[:1_000]) if not line.lstrip().startswith("#") else ():
            if match["name"] not in own:
                yield EnvironmentBranch(match["name"], (match["value"],), (), Location(file, number, match.start() + 1))


def _ends_at_zero(file: str, text: str) -> Iterator[Location]:
    """The first `((name++))` after `name=0`: its value is the old one, zero, which bash takes for a failure."""
    lines = text.splitlines()
    strict = next((number for number, line in enumerate(lines) if _STRICT.match(line[:_LINE])), len(lines))
    values: dict[str, str] = {}
    function = ""
    for number, line in enumerate(lines):
        if opened := _FUNCTION.match(line[:_LINE]):
            function = opened["name"]
        values |= dict(_NUMBER.findall(line[:_LINE]))
        counts = _COUNTS.match(line[:_LINE])
        if counts and number > strict and values.pop(counts["name"], "") == "0" and not _is_asked(text, function):
            yield Location(file, number + 1)


def _is_asked(text: str, function: str) -> bool:
    """Whether a function is called where its status is asked for, so that `set -e` is off in it."""
    if not function:
        return False
    name = re.escape(function)
    return bool(re.search(rf"(?:\b(?:if|while|until)|!|&&|\|\|)\s+{name}\b|^\s*{name}\b[^\n]*(?:&&|\|\|)", text, re.M))


def _makes(text: str) -> Iterator[str]:
    """The paths in lines of PowerShell that write a file, as slashes write them."""
    for line in text.splitlines():
        if _WRITES.search(line[:_LINE]) and not line.lstrip().startswith("#"):
            yield from _PATH.findall(line[:_LINE].replace("\\", "/"))


def _sets(text: str) -> frozenset[str]:
    return frozenset(name for groups in _SETS.findall(text) for part in groups for name in _WORD.findall(part))


def _interpreter(file: str, text: str) -> str:
    """The program of the `#!` line, `env` seen through, or the one that the ending stands for."""
    match = _SHEBANG.match(text[:200])
    if not match:
        return INTERPRETERS.get(PurePosixPath(file).suffix, "")
    name = PurePosixPath(match["program"]).name
    return match["argument"] or "" if name == "env" else name


def _docstring(text: str) -> str:
    """The first sentence of a module's docstring; without one, of its leading comment."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = ast.get_docstring(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = None
    return _sentence(found) if found else _comment(text)


def _comment(text: str) -> str:
    """The first sentence of the comment that a script begins with."""
    lines: list[str] = []
    for line in text.splitlines()[:40]:
        match = _COMMENT.match(line[:500])
        aside = not line.strip() or line.startswith(("#!", "set -", "set +"))
        if (aside and not lines) or (match and _MARKER.search(match["text"])):
            continue
        if not match:
            break
        lines.append(match["text"])
    return _sentence(" ".join(lines))


def _sentence(text: str) -> str:
    first = text.strip().split("\n\n")[0]
    match = re.match(r".+?(?<!\be\.g)(?<!\bi\.e)[.!?](?=\s|$)", " ".join(first.split()))
    return (match[0] if match else " ".join(first.split()))[:200]
