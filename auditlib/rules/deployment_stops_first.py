"""A deployment stops everything before it starts the new version.

`docker compose down` removes every container, the database's and the proxy's too. Users meet an error until the last of
them is well again, and if the new version doesn't start, nothing runs. `up` alone replaces what has changed.

Anti-pattern:

    docker compose pull
    docker compose down
    docker compose up -d

Better:

    docker compose pull
    docker compose up -d --remove-orphans --wait

Recommendation:

    Leave `down` out: `up -d --remove-orphans` recreates the containers whose image or configuration has changed.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
- https://docs.docker.com/reference/cli/docker/compose/down/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import compose_calls, environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.paths import below
from auditlib.pipeline import deploying
from auditlib.pipeline.deploying import ServerScript
from auditlib.rules._rule import Evidence, rule

_WORK = frozenset({"tar", "cp", "rsync", "mv", "pg_dump", "restic", "zip", "rm"})
"""What may need that nothing runs."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that deploys, of an action for SSH or a file, with `down` and `up` of the same services."""
    for script in deploying.server_scripts(inventory):
        if found := _restart(script.commands):
            yield _evidence(inventory, *found, script)


def _restart(commands: tuple[Command, ...]) -> tuple[Command, Command] | None:
    """The `down` and the `up` that follows it, with nothing between that needs the services to be stopped."""
    down: Command | None = None
    for command in commands:
        call = compose_command.of(command.words)
        if call and call.verb == "down" and call.is_for_all:
            down = command
        elif command.words[0] in _WORK:
            down = None
        elif call and down and call.verb == "up" and call.is_for_all:
            first = compose_command.of(down.words)
            return (down, command) if first and set(first.files) == set(call.files) else None
    return None


def _started(inventory: Inventory, up: Command) -> list[Service]:
    """The services that a call starts; of one that names no file those of the project at the root, if there is one.

    Where a variable names the file, those of the projects that are known to be started there.
    """
    found = list(compose_calls.services_of(inventory, " ".join(up.words)))
    call = compose_command.of(up.words)
    if call and any("$" in file for file in call.files):
        here = {item.name for item in inventory.projects if up.location in item.started_at}
        found = [item for item in inventory.distinct_services if item.project in here]
    at_root = {item.name for item in inventory.base_projects if "/" not in item.location.file}
    if call and not call.files and at_root:
        found = [item for item in found if item.project in at_root]
    return [item for item in found if not environments.is_for_developers(inventory, item)]


def _is_configuration(inventory: Inventory, mount: Mount) -> bool:
    """Whether a mount brings files of the repository, which a service reads when it starts."""
    source = posixpath.normpath(mount.source) if mount.source else "."
    held = source in inventory.file_set or bool(below(inventory.files, source))
    return mount.kind == "bind" and not mount.outside and held


def _instead(inventory: Inventory, up: Command, script: ServerScript) -> list[str]:
    """What takes the place of both: a start that builds what it has to, and a restart of what reads mounted files."""
    words = up.words
    started = [item for item in _started(inventory, up) if not item.profiles]
    verbs = {call.verb for command in script.commands if (call := compose_command.of(command.words))}
    verbs |= {"pull" for command in script.commands if command.words[:2] == ("docker", "pull")}
    build = any(item.build for item in started) and "--build" not in words and verbs.isdisjoint({"build", "pull"})
    orphans = not _is_beside_others(inventory, started) and "--remove-orphans" not in words
    options = ["--build"] * build + ["--remove-orphans"] * orphans
    mounted = [
        item.name for item in started
        if not services.is_datastore(inventory, item)
        and any(_is_configuration(inventory, mount) for mount in item.mounts)
    ]  # fmt: skip
    compose = " ".join(words[: words.index("up")])
    restart = [f"{compose} restart {' '.join(dict.fromkeys(mounted))}"] if mounted else []
    return [" ".join((*words, *options)), *restart]


def _start(line: str) -> str:
    return "up -d --remove-orphans" if "--remove-orphans" in line else "up -d"


def _is_beside_others(inventory: Inventory, started: list[Service]) -> bool:
    """Whether another file of the same folder starts services of its own: by the folder's name all are one project,
    and `--remove-orphans` takes what the other file has started away.
    """
    own = {item.project for item in started}
    projects = [item for item in inventory.base_projects if not item.aside]
    folders = {posixpath.dirname(item.location.file) for item in projects if item.name in own}
    return any(item.name not in own and posixpath.dirname(item.location.file) in folders for item in projects)


def _evidence(inventory: Inventory, down: Command, up: Command, script: ServerScript) -> Evidence:
    lines = _instead(inventory, up, script)
    rest = ", and `restart` what mounts files of the repository" if len(lines) > 1 else ""
    return Evidence(
        f"The deployment by {script.called} removes every container before it starts the new version: users are "
        "without service meanwhile, and if it doesn't start, nothing runs.",
        down.location,
        subject=script.subject,
        related=(Related(up.location, "starts them again"),),
        recommendation=f"Leave `down` out, let `{_start(lines[0])}` recreate what has changed{rest}.",
        example="\n".join(lines),
    )
