"""A script waits for a guessed time until services are up.

After `up -d` a `sleep` hopes that the database takes connections by then. On a slow day the migration or the check that
follows fails; on every other day the deployment waits for nothing. Compose knows when the health checks have passed.

Anti-pattern:

    docker compose up -d
    sleep 30
    docker compose exec -T api alembic upgrade head

Better:

    docker compose up -d --wait --wait-timeout 120
    docker compose exec -T api alembic upgrade head

Recommendation:

    Start with `--wait`, which ends once the health checks have passed and fails if they don't.

References:

- https://docs.docker.com/reference/cli/docker/compose/up/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import command_texts, deployment
from auditlib.conventions.command_texts import CommandText, Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LEAST = 3
"""Seconds; what is less gives way to an output rather than to a start."""
_SHOWS = frozenset({"ps", "logs", "top", "images"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that sleeps right after it has started services with health checks, and then needs them."""
    if not any(service.healthcheck for service in inventory.services):
        return
    told: set[str] = set()
    for use in command_texts.uses(inventory, ("sleep",)):
        start = None if use.text.is_for_development else _start(use)
        if start and use.text.called not in told and _needs(use):
            told.add(use.text.called)
            yield _evidence(use.text, start, use.command)


def _start(use: Use) -> Command | None:
    """The call that starts services right before a sleep of some seconds."""
    seconds = use.command.words[-1].rstrip("s")
    if not seconds.isdecimal() or int(seconds) < _LEAST or use.command.function:
        return None
    before = next((item for item in reversed(use.before) if not deployment.prints(item)), None)
    call = compose_command.of(before.words) if before else None
    is_start = call is not None and call.verb == "up" and call.is_in_background and "--wait" not in call.arguments
    return before if is_start else None


def _needs(use: Use) -> bool:
    """Whether what comes next needs the services, and neither looks at the containers nor asks until one answers."""
    own = {item.function for item in use.text.commands} - {""}
    following = next((item for item in use.after if not deployment.prints(item) and item.words[0] not in own), None)
    call = compose_command.of(following.words) if following else None
    shows = call is not None and call.verb in _SHOWS
    return following is not None and not shows and not following.tested and following.words[:2] != ("docker", "ps")


def _evidence(text: CommandText, start: Command, sleep: Command) -> Evidence:
    said = " ".join(start.words)
    restores = "restor" in text.path.lower() or "restor" in text.name.lower()
    return Evidence(
        f"{text.opening} sleeps for {sleep.words[-1].rstrip('s')} seconds after `{said[:60]}` and takes the services "
        "for started then, whatever their health checks say.",
        sleep.location,
        subject=f"{text.name}/sleep",
        related=(Related(start.location, "the services are started here"),),
        recommendation=f"Start with `--wait --wait-timeout 120` in {text.path}, and leave the sleep out.",
        severity=Severity.MEDIUM if restores else None,  # into a server that isn't up, in an emergency
        example=files.into(text.path, f"{said} --wait --wait-timeout 120"),
    )
