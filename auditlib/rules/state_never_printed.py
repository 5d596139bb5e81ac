"""A script looks for a word in Compose's list of containers that isn't printed there.

`docker compose ps` has a column with `Up 5 minutes`, as `docker ps` has. The word `running` was printed by the first
versions of Compose's second edition alone, until early in 2023: a script that looks for it takes every service for one
that is down, and skips what it is there for.

Anti-pattern:

    if docker compose ps db | grep -q running; then
      docker compose exec -T db pg_dumpall > dump.sql
    fi

Better:

    if docker compose ps --status running --quiet db | grep -q .; then
      docker compose exec -T db pg_dumpall > dump.sql
    fi

Recommendation:

    Ask Compose for what runs (`ps --status running --quiet`), and not its table for a word.

References:

- https://docs.docker.com/reference/cli/docker/compose/ps/
- https://docs.docker.com/reference/cli/docker/container/ls/
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import backups, command_texts
from auditlib.conventions.command_texts import CommandText
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SEARCHES = frozenset({"grep", "egrep", "fgrep"})
_SHAPES = ("--format", "--filter", "--status", "--services", "-q", "--quiet")
"""Options by which something else is printed than the usual table."""
_INVERTS = frozenset("v")

_Pair = tuple[Command, Command]


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script, target and job that pipes a list of containers into a search for `running` alone."""
    if _SEARCHES.isdisjoint(command_texts.words(inventory)):
        return
    named = " ".join(f"{item.name} {item.container_name}" for item in inventory.services).lower()
    for text in command_texts.texts(inventory):
        found = [pair for pair in itertools.pairwise(text.commands) if _is_lost(*pair)]
        if found and "running" not in named:
            yield _evidence(text, found)


def _is_lost(before: Command, after: Command) -> bool:
    """Whether the second command of a pipe looks for a word that the first one doesn't print."""
    near = after.location.line <= (before.location.end_line or before.location.line) + 1
    return before.caught and near and _prints_table(before) and _seeks_running(after)


def _prints_table(command: Command) -> bool:
    call = compose_command.of(command.words)
    lists = command.words[:2] == ("docker", "ps") or (call is not None and call.verb == "ps")
    return lists and not any(word.startswith(_SHAPES) for word in command.words)


def _seeks_running(command: Command) -> bool:
    """Whether a search has this one word for its pattern, whatever its case, and isn't turned round."""
    options = [word for word in command.words[1:] if word.startswith("-")]
    patterns = [word for word in command.words[1:] if not word.startswith("-")]
    turned = any(word == "--invert-match" or (word[1:2] != "-" and _INVERTS & set(word)) for word in options)
    return command.words[0] in _SEARCHES and [word.lower() for word in patterns] == ["running"] and not turned


def _asked(before: Command) -> str:
    """The same question in a form that every version answers."""
    words = list(before.words)
    place = words.index("ps") + 1
    shape = ["--quiet", "--filter", "status=running"] if words[0] == "docker" and place == 2 else []
    return " ".join((*words[:place], *(shape or ["--status", "running", "--quiet"]), *words[place:]))


def _evidence(text: CommandText, found: list[_Pair]) -> Evidence:
    (first, search), *others = found
    said = " ".join(first.words)
    saves = text.script is not None and backups.is_script(text.script)
    return Evidence(
        f"{text.opening} looks for `{search.words[-1]}` in what `{said}` prints, where Docker writes `Up 5 minutes`, "
        f"but for Compose of before 2023: whatever runs counts as down{', and no backup is made' if saves else ''}.",
        first.location,
        subject=f"{text.path}/{text.name}/running",
        related=tuple(
            Related(before.location, f"`{' '.join(before.words)[:60]}` too", member=True) for before, _ in others
        ),
        recommendation=f"Ask for what runs in {text.path}: `{_asked(first)} | grep -q .`.",
        severity=Severity.HIGH if saves else None,
        example=files.into(text.path, "\n".join(f"{_asked(before)} | grep -q ." for before, _ in found)),
    )
