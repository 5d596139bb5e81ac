"""Scripts: programs outside the applications, what they are for, and what they run.

A script is a file with a `#!` line, a shell file, or a program below a folder that is called for scripts.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import PurePosixPath

from msgspec.structs import replace

from auditlib import health_states
from auditlib.inventory.configuration import EnvironmentBranch
from auditlib.inventory.delivery import Pair, Script
from auditlib.model import Coverage, Location, Read
from auditlib.patterns import regex
from auditlib.readers import lone_scripts, powershell, script_arguments, shell_scripts
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
_HELP = regex(r"(?:#[^\n]*\n|\s)*<#(?P<text>.*?)#>", re.S)
_LINE = 2_000
_SECRET_PATH = regex(r"/run/secrets/[\w.-]{1,100}(?![\w./$*{-])")
_ASKS_FOR_FILE = regex(r"\[\s|\btest\s|\|\||2>\s?/dev/null|\bif\b")
_SCHEDULE = regex(
    r"^[ \t]*#[^\n]{0,200}?(?:\bcron|crontab|OnCalendar|systemd[- ]timer|task scheduler|计划任务|定时任务)", re.I | re.M
)
"""A comment that says what starts a script, and when."""
_MARKER = regex(r"(?i)shellcheck|-\*-|coding[:=]|eslint|prettier|copyright|spdx|licen[cs]e|set -|^[-=#*\s]*$")


def read(source: Source) -> Reading:
    """A Script for each file that is one. Modules of a package (`__init__.py`) and tests are none."""
    reading = each(source, [file for file in source.files if _may_be_script(source, file)], KIND, _read)
    alone = lone_scripts.of(source, [item.path for item in reading.records if isinstance(item, Script)])
    reading.records = [
        replace(item, alone=True) if isinstance(item, Script) and item.path in alone else item
        for item in reading.records
    ]
    return reading


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
    shell = is_shell(interpreter)
    found = shell_scripts.filled_in(commands(text, file, 1, source.vault), text) if shell else ()
    in_python = interpreter.startswith("python") or file.endswith(".py")
    summary = _docstring(text) if in_python else _help(text) or _comment(text)
    if found:
        yield from shell_scripts.branches(file, text)
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
        secret_paths=tuple(_secret_paths(file, text)) if shell or interpreter == "pwsh" else (),
    )
    if shell:
        script = shell_scripts.described(script, text)
    elif interpreter == "pwsh":
        script = powershell.described(script, text, source.vault)
    yield script


def _secret_paths(file: str, text: str) -> Iterator[Pair]:
    """The secrets that lines of a script read in containers; one that asks whether they are there means it."""
    for number, line in enumerate(text.splitlines(), start=1) if "/run/secrets/" in text and " exec " in text else ():
        if not (line.lstrip().startswith("#") or _ASKS_FOR_FILE.search(line[:_LINE])):
            yield from (Pair(path, "", Location(file, number)) for path in _SECRET_PATH.findall(line[:_LINE]))


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
