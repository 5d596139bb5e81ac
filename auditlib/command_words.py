"""The words of commands: what only starts another program, options and their values, the folder that is meant."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from auditlib.paths import normal
from auditlib.patterns import regex

SHELLS = frozenset({"bash", "sh", "zsh", "dash", "source", "."})
PACKAGE_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
EVERYWHERE = frozenset(
    {"-r", "--recursive", "-ws", "--workspaces", "workspaces", "--filter", "-F", "-w", "--workspace", "workspace"}
)
"""Options and words with which a package manager goes through all packages of a workspace."""

_PREFIXES = frozenset({
    "uv", "uvx", "npx", "bunx", "pnpx", "pipx", "poetry", "pdm", "pipenv", "rye", "run", "exec", "sudo", "env", "time",
    "xvfb-run", "command", "nohup", "--",
})  # fmt: skip
_LIFECYCLE = frozenset({"test", "t", "start"})
_OWN_COMMANDS = frozenset(
    {"install", "i", "ci", "add", "remove", "dlx", "x", "exec", "audit", "publish", "link", "init"}
)
_FOLDER_OPTIONS = frozenset({"-C", "--prefix", "--cwd", "--dir", "--directory", "--project"})
_OF_COMPOSER = frozenset({
    "about", "archive", "audit", "browse", "bump", "cc", "check-platform-reqs", "clear-cache", "clearcache", "config",
    "create-project", "depends", "diagnose", "dump-autoload", "dumpautoload", "exec", "fund", "global", "help", "home",
    "i", "info", "init", "install", "licenses", "list", "outdated", "prohibits", "r", "reinstall", "remove",
    "repository", "require", "rm", "run", "run-script", "search", "self-update", "selfupdate", "show", "status",
    "suggests", "u", "uninstall", "update", "upgrade", "validate", "why", "why-not",
})  # fmt: skip
"""https://getcomposer.org/doc/03-cli.md"""
_ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
_LOOKS = frozenset({"-v", "-V"})
"""Options with which `command` starts nothing, and tells where a program is."""
_ASKING = frozenset({"which", "type", "hash", "whereis"})
_SAYS = regex(
    r"(?:echo|printf|print|logger)$|(?:log|info|warn(?:ing)?|err(?:or)?|die|fail(?:ure)?|fatal|abort|success|ok|note|"
    r"msg|message|say|usage|debug|notice)(?:_\w+)?$|(?:print|log|echo|say)[_-]\w+$|\w+_(?:log|echo|msg|die)$",
    re.I,
)
"""Programs, and names of a script's own functions, that only print their words."""
_DEMANDS = regex(
    r"(?:(?:require|need|check|ensure|assert|verify|test|has|have|is|find|missing)s?_?)+"
    r"(?:cmd|command|bin(?:ary)?|tool|program|executable|dep(?:endency|endencie)?|installed|exist|available)s?(?:_\w+)?$|"
    r"(?:cmd|command|program|tool|binary)_(?:exists?|available|installed|required)$|(?:need|needs|require|requires|has)$",
    re.I,
)
"""Names of a script's own functions that ask whether a program is installed."""
_COMPOSE_VALUES = frozenset({
    "-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory", "-e", "--env", "-u",
    "--user", "-v", "--volume", "-w", "--workdir", "--name", "--entrypoint", "--publish", "--label", "-l", "--scale",
    "--timeout", "-t", "--env-from-file", "--pull", "--ansi", "--progress", "--wait-timeout", "--index",
    "--parallel", "--context", "-H", "--host", "--tail", "--since", "--until", "--policy", "--builder", "--signal",
})  # fmt: skip
"""Options of `docker`, of `docker compose` and of its commands that take the next word as their value."""
_OWN_FOLDER = regex(
    r"(?:\$\((?:cd )?[\"']?(?:\$\()?dirname (?:-- )?[\"']?\$(?:0|\{?BASH_SOURCE(?:\[0\])?\}?)[\"']?\)"
    r"(?:[^)/]{0,20}\))?|\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}|"
    r"\$\{?(?:SCRIPTS?_?DIR|SCRIPT_?PATH|HERE|DIR)\}?)/",
    re.I,
)
"""How a script writes the folder that it lies in, or what a variable for that is called."""


def beside(word: str, home: str) -> str:
    """The path of what a script names as a file beside itself (`"$(dirname "$0")/load.sh"`); empty for another word."""
    match = _OWN_FOLDER.match(word)
    return normal(posixpath.join(home, word[match.end() :])) if match else ""


def script_name(program: str, words: list[str]) -> str:
    """The script of package.json that a package manager is told to run; empty if it does something else."""
    for word in ("run", "run-script"):
        if word in words:
            return next(iter(words[words.index(word) + 1 :]), "")
    first = next(iter(words), "")
    if first in _OWN_COMMANDS or (program == "npm" and first not in _LIFECYCLE):
        return ""
    return "test" if first == "t" else first


def composer_script(words: list[str]) -> tuple[str, bool]:
    """The script of composer.json that arguments of Composer name, and whether they can name nothing else."""
    if words[:1] and words[0] in ("run", "run-script"):
        return next(iter(words[1:2]), ""), True
    first = next(iter(words), "")
    return ("", False) if first in _OF_COMPOSER else (first, False)


def core(words: list[str]) -> list[str]:
    """A command without what only starts it: `uv run --frozen make test` is `make test`."""
    index = 0
    while index < len(words):
        word = words[index]
        if word == "command" and words[index + 1 : index + 2] and words[index + 1] in _LOOKS:
            break
        if word in _FOLDER_OPTIONS and index:
            index += 2
        elif word == "timeout":
            index = _after_duration(words, index + 1)
        elif word in _PREFIXES or (index and word.startswith("-")) or _ASSIGNMENT.match(word):
            index += 1
        else:
            break
    return words[index:]


def _after_duration(words: list[str], index: int) -> int:
    """Where the command begins that `timeout` runs: behind its options and its duration."""
    while words[index : index + 1] and words[index].startswith("-"):
        index += 2 if words[index] in ("-k", "-s", "--kill-after", "--signal") else 1
    return index + 1


def only_names(words: Sequence[str]) -> bool:
    """Whether a command asks where a program is, or prints its words, and so runs none of the programs among them.

    `command -v pg_dump`, `echo "pg_dump is missing"`, `require_cmd pg_dump`.
    """
    first, second = (posixpath.basename(words[0]), words[1]) if len(words) > 1 else ("", "")
    asks = first in _ASKING or (first == "command" and second in _LOOKS)
    return asks or bool(_SAYS.match(first) or _DEMANDS.match(first))


def place(arguments: list[str], folder: str | None) -> tuple[str | None, list[str]]:
    """Where a command runs after its own option for that (`-C backend`), and its arguments without options."""
    words: list[str] = []
    skip = False
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if skip:
            skip = False
        elif name in _FOLDER_OPTIONS:
            value = value if equals else next(iter(arguments[index + 1 : index + 2]), "")
            folder = normal(posixpath.join(folder or "", value))
            skip = not equals
        elif not word.startswith("-") and not _ASSIGNMENT.match(word):
            words.append(word)
    return folder, words


def split(words: list[str]) -> tuple[str, list[str]]:
    """The first word that is no option nor an option's value, and what follows it."""
    index = 0
    while index < len(words):
        if words[index] in _COMPOSE_VALUES:
            index += 2
        elif words[index].startswith("-"):
            index += 1
        else:
            return words[index], words[index + 1 :]
    return "", []
