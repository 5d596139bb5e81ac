"""Scripts: programs outside the applications, what they are for, and what shell scripts run.

A script is a file with a `#!` line, a shell file, or a program below a folder that is called for scripts.
"""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import PurePosixPath

from msgspec.structs import replace

from auditlib import bashisms, compose_command, health_states, waiting
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.inventory.delivery import Command, MovedArgument, Pair, Script
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import mirrors, powershell, script_arguments, swallowing
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
_SHELL_OPTIONS = regex(r"\s-([a-zA-Z]+)(?=\s|$)")
_SHEBANG = regex(r"#!\s*(?P<program>\S+)(?:\s+(?:-S\s+)?(?P<argument>[^\s-]\S*))?")
_COMMENT = regex(r"\s*(?:#|//|--|\*|/\*\*?)\s?(?P<text>.*?)\s*(?:\*/)?$")
_HELP = regex(r"(?:#[^\n]*\n|\s)*<#(?P<text>.*?)#>", re.S)
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
_ASSIGNS = regex(r"(?:^|[\s;(])(?:(?:read|for)\s+(?:-\w+\s+)*)?(\w+)(?:\s*[-+*/%]?=(?!=)|\s+in\b|(?=\s*$))")
"""What may give a variable a value that isn't known."""
_LENIENT = regex(r"\s*set\s+\+(?:[a-z]*e[a-z]*\b|o\s+errexit)")
_COUNTS = regex(r"\s*\(\(\s*(?P<name>\w+)\+\+\s*\)\)\s*(?:;|#|$)")
_PLAIN_SHELLS = frozenset({"sh", "dash", "ash"})
_CONDITION = regex(
    r"\s*(?:\[\[? .{1,300} \]\]?|test\s.{1,300}?|\(\(.{1,200}\)\)|\$\{?\w+\}?)\s*&&(?P<then>[^|&]{1,300})$"
)
"""A line that is a condition and what is done where it holds."""
_TAKES = regex(r"\s*(?:local\s+|readonly\s+)?(?P<name>\w+)=[\"']?\$\{?1(?::?[?-][^}]{0,200})?\}?[\"']?\s*$")
"""A variable that is given the first argument."""
_MOVES = regex(
    r"cd\s+[\"']?\$\(dirname\s+[\"']?\$(?:0|\{BASH_SOURCE(?:\[0\])?\})[\"']?\)(?P<rest>[/.\w-]{0,100})[\"']?\s*(?:$|\|\||;)"
)
"""A script that changes into the folder that it lies in."""
_USES = regex(r"(?:<|\b(?:cat|gunzip|zcat|zstdcat|source)|\s-(?:c|f|dc|d|xzf|xf))\s*[\"']?\$\{?(?P<name>\w+)\b")
_MADE_ABSOLUTE = regex(r"\brealpath\b|\breadlink\s+-f|\babspath\b|\sin\s+/\*\)|==?\s*/\*")
_PLAIN_CALL = regex(r"\s*(?P<name>[\w-]+)(?:\s+[^|&;()]*)?$")
_MOST_BASHISMS = 20
_DEEPEST = 6
_MOST_LINES = 3_000
_MOST_ENDS = 20
_LINE_OF_ENV = regex(r"[\"']([A-Z][A-Z0-9_]+)=")
"""A line of an environment file in a text of PowerShell."""
_WRITES = regex(
    r"(?i)\b(?:Copy-Item|Move-Item|Rename-Item|New-Item|Out-File|Set-Content|Add-Content|copy|move|WriteAll\w+)\b|>"
)
_SECRET_PATH = regex(r"/run/secrets/[\w.-]{1,100}(?![\w./$*{-])")
_ASKS_FOR_FILE = regex(r"\[\s|\btest\s|\|\||2>\s?/dev/null|\bif\b")
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
    summary = _docstring(text) if in_python else _help(text) or _comment(text)
    if found:
        yield from _branches(file, text)
    script = Script(
        path=file,
        interpreter=interpreter,
        summary=source.vault.mask(summary),
        executable=source.is_executable(file),
        commands=found,
        location=Location(file),
        shebang=text.startswith("#!"),
        carriage_return=file in source.carriage_returns and "eol=lf" not in source.glance(".gitattributes"),
        tells_schedule=_SCHEDULE.search(text) is not None,
        healthy_tests=tuple(Location(file, line) for line in health_states.taken(text)),
        arguments=script_arguments.of_python(text) if in_python and not found else None,
    )
    if is_shell(interpreter):
        script = _of_shell(script, text)
    elif interpreter == "pwsh":
        script = _of_powershell(source, script, text)
    yield script


def _of_shell(script: Script, text: str) -> Script:
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
        assigned=tuple(dict.fromkeys(_HELD.findall(text))),
        backup_folder=_backup_folder(text),
        backup_is_relative=backups is not None and "$" not in backups[0].replace("${", "", 1),
        unchecked_hosts=tuple(_unchecked_hosts(file, text)),
        passing_waits=tuple(Pair(item.asked, "", Location(file, item.line)) for item in waiting.passing(text)),
        swallowing=tuple(swallowing.names(file, text, powershell=False)),
        unmounted_mirrors=tuple(mirrors.of_unmounted(file, text)),
        secret_paths=tuple(_secret_paths(file, text)),
        kept_days=_kept_days(text),
        arguments=script_arguments.of_shell(text),
        ends_at_zero=tuple(_ends_at_zero(file, text)) if script.interpreter not in _PLAIN_SHELLS else (),
        ends_at_condition=tuple(islice(_ends_at_condition(file, text), _MOST_ENDS)) if "&&" in text else (),
        for_bash=tuple(_for_bash(file, text)) if script.interpreter in _PLAIN_SHELLS else (),
    )


def _of_powershell(source: Source, script: Script, text: str) -> Script:
    """A script with what one for PowerShell says of the files that it makes and the programs that it calls."""
    file = script.path
    return replace(
        script,
        sets=frozenset(_LINE_OF_ENV.findall(text)),
        makes=tuple(dict.fromkeys(_makes(text))),
        refused_references=tuple(powershell.refused_references(file, text)),
        unasked_calls=_masked(source, powershell.unasked_calls(file, text)),
        swallowing=tuple(swallowing.names(file, text, powershell=True)),
        secret_paths=tuple(_secret_paths(file, text)),
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
    values: dict[str, str] = {}
    function, strict = "", False
    for number, line in enumerate((line[:_LINE] for line in text.splitlines()), 1):
        if opened := _FUNCTION.match(line):
            function = opened["name"]
        values |= dict.fromkeys(_ASSIGNS.findall(line), "") | dict(_NUMBER.findall(line))
        counts = _COUNTS.match(line)
        if counts and strict and values.pop(counts["name"], "") == "0" and not _is_asked(text, function):
            yield Location(file, number)
        strict = bool(_STRICT.match(line)) or (strict and not _LENIENT.match(line))


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


def _ends_at_condition(file: str, text: str) -> Iterator[Pair]:
    """The functions, called plainly under `set -e`, whose status is that of a condition: where it doesn't hold, the
    call is a failure, at which the script ends.
    """
    lines = [line[:_LINE] for line in text.splitlines()]
    if not any(map(_STRICT.match, lines)) or "set +e" in text:
        return
    plain = {match["name"] for line in lines if (match := _PLAIN_CALL.match(line))}
    name, start = "", 0
    for number, line in enumerate(lines[:_MOST_LINES]):
        if (opened := _FUNCTION.match(line)) and line.rstrip().endswith(("{", ")")):
            name, start = opened["name"], number
        elif line.startswith("}") and name:
            for last in _last(lines, start, number):
                found = _CONDITION.match(lines[last].partition(" #")[0])
                goes_on = lines[last - 1].rstrip().endswith(("\\", "&&", "||", "|"))
                if found and not goes_on and name in plain and not _is_asked(text, name):
                    yield Pair(name, lines[last].strip()[:120], Location(file, last + 1))
                    break
            name = ""


def _last(lines: list[str], start: int, end: int, depth: int = 0) -> Iterator[int]:
    """The lines that may be the last to run of those between two, each of the branches of an `if` at their end."""
    last = next((index for index in range(end - 1, start, -1) if _says(lines[index])), 0)
    if not last or lines[last].strip() != "fi" or depth > _DEEPEST:
        yield from [last] if last else []
        return
    margin = _indent(lines[last])
    until = last
    for index in range(last - 1, start, -1):
        word = lines[index].split(maxsplit=1)[:1]
        if word and word[0] in ("if", "elif", "else") and _indent(lines[index]) == margin:
            yield from _last(lines, index, until, depth + 1)
            until = index
            if word == ["if"]:
                return


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _says(line: str) -> bool:
    """Whether a line is more than a comment."""
    text = line.strip()
    return bool(text) and not text.startswith("#")


def _for_bash(file: str, text: str) -> Iterator[Pair]:
    """What only Bash knows, in a script for another shell."""
    for item in islice(bashisms.found(text), _MOST_BASHISMS):
        said = item.said if item.everywhere else f"dash {item.said}"
        yield Pair(said, item.outcome, Location(file, item.line))


def _is_asked(text: str, function: str) -> bool:
    """Whether a function is called where its status is asked for, so that `set -e` is off in it."""
    if not function:
        return False
    name = re.escape(function)
    return bool(re.search(rf"(?:\b(?:if|while|until)|!|&&|\|\|)\s+{name}\b|^\s*{name}\b[^\n]*(?:&&|\|\|)", text, re.M))


def _masked(source: Source, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    return tuple(replace(item, value=source.vault.mask(item.value)) for item in pairs)


def _secret_paths(file: str, text: str) -> Iterator[Pair]:
    """The secrets that lines of a script read in containers; one that asks whether they are there means it."""
    for number, line in enumerate(text.splitlines(), start=1) if "/run/secrets/" in text and " exec " in text else ():
        if not (line.lstrip().startswith("#") or _ASKS_FOR_FILE.search(line[:_LINE])):
            yield from (Pair(path, "", Location(file, number)) for path in _SECRET_PATH.findall(line[:_LINE]))


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


def _help(text: str) -> str:
    """The first sentence of the help that a script for PowerShell begins with, without its keywords (`.SYNOPSIS`)."""
    match = _HELP.match(text[:4_000])
    lines = (line for line in match["text"].splitlines() if not line.strip().startswith(".")) if match else ()
    return _sentence("\n".join(lines))


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
