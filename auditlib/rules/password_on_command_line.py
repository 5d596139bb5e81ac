"""A password is an argument of a command.

Everybody with an account on the host reads the arguments of every process in `ps`, and the shell's history keeps them.
That holds for a command in a container too, whose processes are the host's.

Anti-pattern:

    docker login -u acme -p "$REGISTRY_PASSWORD" ghcr.io
    docker exec db mysqldump -u root -p"$DB_PASSWORD" shop > shop.sql

Better:

    printf '%s' "$REGISTRY_PASSWORD" | docker login -u acme --password-stdin ghcr.io
    docker exec -e MYSQL_PWD="$DB_PASSWORD" db mysqldump -u root shop > shop.sql

Recommendation:

    Hand the password over by standard input, an environment variable or a file that only its owner reads.

References:

- https://docs.docker.com/reference/cli/docker/login/#password-stdin
- https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html
- https://redis.io/docs/latest/develop/tools/cli/#host-port-password-and-database
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GIVEN = (
    (
        "docker login",
        regex(r"^(?:sudo )?docker login (?:.* )?(?:-p ?|--password[ =])\S"),
        "printf '%s' \"$<the variable>\" | docker login --username <user> --password-stdin <registry>",
    ),
    (
        "sshpass",
        regex(r"^(?:sudo )?sshpass -p"),
        "ssh -i <the file of a key that only its owner reads> <user>@<host>",
    ),
    (
        "mysql",
        regex(
            r"(?:^| |/)(?:mysql|mysqldump|mysqladmin|mariadb|mariadb-dump)(?: \S+){0,30}? (?:-p(?=[^ ])|--password=)\S*"
        ),
        "MYSQL_PWD=<the password's variable> <the command without -p>",
    ),
    (
        "redis-cli",
        regex(r"(?:^| |/)(?:redis-cli|valkey-cli)(?: \S+){0,30}? (?:-a|--pass)[ =]\S"),
        "REDISCLI_AUTH=<the password's variable> redis-cli <the words after -a>",
    ),
)
_WORDS = frozenset({"docker", "sshpass", "mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "redis-cli"})
_Given = tuple[Command, str, str]


@rule(area=Area.CONFIGURATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the scripts, targets and servers' commands that hand over a password as an argument."""
    if _WORDS.isdisjoint(command_texts.words(inventory)):
        return
    found: list[tuple[CommandText, _Given]] = []
    for text in command_texts.texts(inventory):
        if not (text.is_on_thrown_away_host or text.is_for_development):
            found += [(text, item) for command in text.commands if (item := _given(command))]
    if found:
        yield _evidence(found)


def _given(command: Command) -> _Given | None:
    """A command with a password among its words, the program that gets it, and how else it takes one."""
    if _WORDS.isdisjoint(word.rpartition("/")[2] for word in command.words):
        return None
    text = " ".join(command.words)[:1_000]
    return next(((command, name, better) for name, pattern, better in _GIVEN if pattern.search(text)), None)


def _evidence(found: list[tuple[CommandText, _Given]]) -> Evidence:
    (first, (command, name, better)), *others = found
    places = list(dict.fromkeys(text.path for text, _ in found))
    return Evidence(
        f"{listed(places)} {'hands' if len(places) == 1 else 'hand'} a password to {name} as an argument: whoever has "
        "an account on the host reads it in `ps`.",
        command.location,
        subject="password",
        related=tuple(Related(item.location, f"an argument of {tool}", member=True) for _, (item, tool, _) in others),
        recommendation=f"Hand it to {name} in {first.path} by standard input, a variable or a file.",
        example=files.into(first.path, _inside(command, name) or better),
    )


def _inside(command: Command, name: str) -> str:
    """How a program in a container gets its password: the variable has to be handed in; empty outside of one."""
    words = command.words
    if name != "redis-cli" or "exec" not in words or name not in words:
        return ""
    place, start = words.index("exec") + 1, words.index(name)
    given = " ".join((*words[:place], "-e REDISCLI_AUTH", *words[place:start]))
    return f"export REDISCLI_AUTH=<the password's variable>\n{given} redis-cli <the words after -a and the password>"
