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

from collections.abc import Iterator

from auditlib.conventions import compose_calls
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
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
            yield _evidence(*found, script)


def _restart(commands: tuple[Command, ...]) -> tuple[Command, Command] | None:
    """The `down` and the `up` that follows it, with nothing between that needs the services to be stopped."""
    down: Command | None = None
    for command in commands:
        call = compose_calls.of(command.words)
        if call and call.verb == "down" and call.is_for_all:
            down = command
        elif command.words[0] in _WORK:
            down = None
        elif call and down and call.verb == "up" and call.is_for_all:
            first = compose_calls.of(down.words)
            return (down, command) if first and set(first.files) == set(call.files) else None
    return None


def _evidence(down: Command, up: Command, script: ServerScript) -> Evidence:
    start = " ".join(up.words)
    return Evidence(
        f"The deployment by {script.called} removes every container before it starts the new version: users are "
        "without service meanwhile, and if it doesn't start, nothing runs.",
        down.location,
        subject=script.subject,
        related=(Related(up.location, "starts them again"),),
        recommendation="Leave `down` out and let `up -d --remove-orphans` recreate what has changed.",
        example=start if "--remove-orphans" in up.words else f"{start} --remove-orphans",
    )
