"""A script deletes far more than it means where a variable is empty.

`rm -rf "$BUILD_DIR"/*` is `rm -rf /*` where nobody has set `BUILD_DIR`, and `docker ps --filter "name=$APP"` names
every container of the host. A missing environment file, a typing error or a shell that was started anew is enough.

Anti-pattern:

    . ./.env
    rm -rf "$RELEASES"/*
    docker rm -f $(docker ps -aq --filter "name=$APP_NAME")

Better:

    set -u
    . ./.env
    rm -rf "${RELEASES:?}"/*
    docker rm -f $(docker ps -aq --filter "name=${APP_NAME:?}")

Recommendation:

    Write `${NAME:?}`, at which the shell ends where the variable is empty.

References:

- https://www.shellcheck.net/wiki/SC2115
- https://www.gnu.org/software/bash/manual/html_node/Shell-Parameter-Expansion.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules import _shell_lines as shell_lines
from auditlib.rules._rule import Evidence, rule

_BELOW = regex(r"\$\{?(?P<name>[A-Za-z_]\w*)\}?/(?P<rest>[^$]*)$")
_NAMED = regex(r"(?:name|label)=\^?/?\$\{?(?P<name>[A-Za-z_]\w*)\}?\*?$")
_ALL = regex(r"[*?.{},!\[\]]*")
_OF_SYSTEM = frozenset({
    "bin", "boot", "data", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run", "sbin",
    "srv", "sys", "tmp", "usr", "var",
})  # fmt: skip
"""Folders that a host has in its root; the deletion of another one there does nothing."""
_FORCED = regex(r"-[a-zA-Z]*[rR][a-zA-Z]*|--recursive")
_ENDS = frozenset({"rm", "stop", "kill"})
_ALWAYS_SET = frozenset(
    {"HOME", "PWD", "USER", "TMPDIR", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "RUNNER_TEMP", "OLDPWD"}
)
_Found = tuple[Command, str, str]


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script without `set -u` that deletes by a variable which it takes from elsewhere."""
    for script in inventory.scripts:
        strict = "u" in script.shell_options or any(map(_sets_nounset, script.commands))
        found = list(_deletions(script)) if not strict else []
        found = [item for item in found if not _is_set_elsewhere(inventory, script, item[1])] if found else []
        if found:
            yield _evidence(script, found)


def _is_set_elsewhere(inventory: Inventory, script: Script, name: str) -> bool:
    """Whether a file that the script reads, an image or a service gives the variable a value."""
    words = (word for item in script.commands if item.words[0] in (".", "source") for word in item.words[1:])
    read = {posixpath.basename(word) for word in words}
    sourced = any(name in item.sets for item in inventory.scripts if posixpath.basename(item.path) in read)
    built = (pair for file in inventory.dockerfiles for item in file.instructions if item.keyword == "ENV"
             for pair in item.variables)  # fmt: skip
    given = (entry.name for service in inventory.services for entry in service.environment)
    return sourced or name in given or any(name == key for key, _ in built)


def _sets_nounset(command: Command) -> bool:
    options = command.words[1:] if command.words[:1] == ("set",) else ()
    return any(word == "nounset" or (word[:1] == "-" and "u" in word[1:]) for word in options)


def _deletions(script: Script) -> Iterator[_Found]:
    """The commands that delete by a variable of elsewhere, with its name and what is meant where it is empty."""
    ends = any(item.words[0] == "docker" and _ENDS & set(item.words[1:3]) for item in script.commands)
    for command in script.commands:
        if command.words[0] == "rm" and any(map(_FORCED.fullmatch, command.words)):
            for word in command.words[1:]:
                match = _BELOW.match(word)
                if match and _is_of_host(match["rest"]) and _may_be_empty(script, match["name"]):
                    yield command, match["name"], f"/{match['rest']}"
        elif ends and command.words[0] == "docker" and "ps" in command.words[1:3]:
            for word in command.words:
                match = _NAMED.search(word)
                if match and _may_be_empty(script, match["name"]):
                    yield command, match["name"], "every container of the host"


def _is_of_host(rest: str) -> bool:
    """Whether a path in the root is all that is there, or a folder of the system or all of that."""
    names = [part for part in rest.split("/") if not _ALL.fullmatch(part)]
    return not names or (len(names) == 1 and names[0] in _OF_SYSTEM)


def _may_be_empty(script: Script, name: str) -> bool:
    known = name in script.sets or name in script.tests
    return not known and name not in _ALWAYS_SET and not name.isdecimal()


def _evidence(script: Script, found: list[_Found]) -> Evidence:
    (first, name, meant), *others = found
    return Evidence(
        f"{script.path} takes {name} from elsewhere and runs `{' '.join(first.words)[:70]}`: where it is empty, that "
        f"means {meant}.",
        first.location,
        subject=f"{script.path}/{name}",
        related=tuple(
            Related(item.location, f"{other} may be empty here: {what}", member=True) for item, other, what in others
        ),
        recommendation=f"Write `${{{name}:?}}` in {script.path}, at which the shell ends where it is empty.",
        example=files.into(script.path, _safe(first, name)),
    )


def _safe(command: Command, name: str) -> str:
    """The command that ends where the variable is empty; what stands for files stays outside of the quotes."""
    words = [word.replace(f"${{{name}}}", f"${name}") for word in command.words]
    if command.words[0] != "rm":
        return shell_lines.line(word.replace(f"${name}", f"${{{name}:?}}") for word in words)
    parts = (word.partition(f"${name}/") for word in words)
    return " ".join(f'"${{{name}:?}}"/{rest}' if sign and not word else shell_lines.line([word + sign + rest])
                    for word, sign, rest in parts)  # fmt: skip
