"""A script that cron starts looks for its files in the folder that it happens to be in.

Cron starts a script in the home of its user, not in the checkout. `docker compose` without an absolute `-f` finds no
Compose file there, a relative `.env` isn't found either, and a backup that is written to `./backups` lies somewhere
else than where anybody, or the retention, looks for it.

Anti-pattern:

    # 0 2 * * * /opt/shop/scripts/backup.sh
    #!/bin/bash
    set -euo pipefail
    docker compose exec -T db pg_dump shop > backups/shop.sql

Better:

    #!/bin/bash
    set -euo pipefail
    cd "$(dirname "$0")/.."
    docker compose exec -T db pg_dump shop > backups/shop.sql

Recommendation:

    Change into the project's folder at the top of the script.

References:

- https://man7.org/linux/man-pages/man5/crontab.5.html
- https://docs.docker.com/compose/how-tos/project-name/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_CHANGES = frozenset({"cd", "pushd"})
_ELSEWHERE = ("/", "$", "~", "-", "`")
_BY_NAME = frozenset(
    {"exec", "ps", "logs", "stop", "start", "restart", "top", "kill", "down", "rm", "pause", "unpause"}
)
"""What Compose does to a project that `-p` names, without its file."""
_OF_NO_PROJECT = frozenset({"", "version", "ls", "help"})


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script of the host that a line for cron, or a unit without a folder, starts, and that needs its folder."""
    started = _started(inventory)
    inside = calls.given_to_containers(inventory) if started else set()
    for script in inventory.scripts if started else ():
        place = started.get(posixpath.basename(script.path))
        on_host = place and posixpath.basename(script.path) not in inside
        if place and on_host and script.commands and not any(item.words[0] in _CHANGES for item in script.commands):
            needs = list(_needs(script))
            if needs:
                yield _evidence(script, place, needs)


def _started(inventory: Inventory) -> dict[str, tuple[str, Location]]:
    """The scripts that cron and systemd start without changing into a folder first, by name."""
    found: dict[str, tuple[str, Location]] = {}
    for line in inventory.cron_lines:
        words = line.command.replace("'", " ").replace('"', " ").split()
        for word in words if "cd" not in words else ():
            if word.endswith((".sh", ".bash")) and word.startswith(("/", "~", "$", "<")):
                found.setdefault(posixpath.basename(word), ("cron", line.location))
    for unit in inventory.units:
        for item in unit.values("Service.ExecStart") if not unit.value("Service.WorkingDirectory") else ():
            for word in item.value.split():
                if word.endswith((".sh", ".bash")):
                    found.setdefault(posixpath.basename(word), ("systemd", item.location))
    return found


def _needs(script: Script) -> Iterator[tuple[str, Location]]:
    """What a script takes from, or puts into, the folder that it is started in."""
    held = {pair.name: pair.value for pair in script.compose_variables}
    said = held.get("COMPOSE_FILE", "") or _exported(script)
    for command in script.commands:
        call = compose_command.of(command.words)
        if call and not (_needs_no_file(call) or (not call.files and said.startswith(_ELSEWHERE))):
            named = [held.get(word.strip("${}").partition(":")[0], _default(word)) for word in call.files]
            if not named:
                yield "the Compose file", command.location
            elif not named[0].startswith(_ELSEWHERE):
                yield named[0].partition(":")[0], command.location
        if command.words[0] in ("source", ".") and len(command.words) > 1 and _is_relative(command.words[1]):
            yield command.words[1], command.location
        yield from ((path, command.location) for path in command.writes if _is_relative(path))
    if script.backup_is_relative:
        yield f"{script.backup_folder}/", script.location


def _needs_no_file(call: compose_command.Call) -> bool:
    """Whether Compose is asked for what it does anywhere, or to a project that an option names."""
    placed = any(word.startswith("--project-directory") for word in call.options)
    return placed or call.verb in _OF_NO_PROJECT or (bool(call.project) and call.verb in _BY_NAME)


def _exported(script: Script) -> str:
    """What the script gives to `COMPOSE_FILE` for all that it calls."""
    words = [word for item in script.commands if item.words[0] == "export" for word in item.words[1:]]
    return next((word.partition("=")[2] for word in words if word.startswith("COMPOSE_FILE=")), "")


def _default(word: str) -> str:
    """The value of `${COMPOSE_FILE:-compose.yaml}` that nobody sets; any other word as it is."""
    return word.partition(":-")[2].rstrip("}") if word.startswith("${") and ":-" in word else word


def _is_relative(path: str) -> bool:
    return not path.startswith((*_ELSEWHERE, "&")) and "$" not in path and not path.isdecimal()


def _evidence(script: Script, place: tuple[str, Location], needs: list[tuple[str, Location]]) -> Evidence:
    by, started = place
    (first, where), *others = needs
    folder = "/".join([".."] * script.path.count("/"))
    home = f'cd "$(dirname "$0")/{folder}"' if folder else 'cd "$(dirname "$0")"'
    at = "/" if by == "systemd" else "the home of its user"
    return Evidence(
        f"{script.path} needs {first} of the folder that it is started in, and never changes into one: {by} starts it "
        f"in {at}.",
        where,
        subject=script.path,
        related=(
            Related(started, f"what {by} starts"),
            *(Related(item, f"needs {name} too", member=True) for name, item in others[:6]),
        ),
        recommendation=f"Begin {script.path} with `{home}`.",
        example=files.into(script.path, f"{home}  # before all else"),
    )
