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
from auditlib.conventions import command_texts, compose_calls, deployment
from auditlib.conventions.command_texts import CommandText, Use
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LEAST = 3
"""Seconds; what is less gives way to an output rather than to a start."""
_SHOWS = frozenset({"ps", "logs", "top", "images"})
_ELSEWHERE = frozenset({"docker", "podman", "git", "exit", "cd", "sleep", "systemctl"})
"""What asks nothing of the services, but for `docker exec`."""
_ASKS_AGAIN = regex(r"\s--retry\b|\buntil\b|\bwait-(?:for|on)\b|\bdockerize\b")
_WAIT = "--wait --wait-timeout 120"
_RETIRED = regex(r"\bdocker-compose(?= )")


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each text that sleeps right after it has started services with health checks, and then needs them."""
    told: set[str] = set()
    for use in command_texts.uses(inventory, ("sleep",)):
        start = None if use.text.is_for_development else _start(use)
        checked = _checked(inventory, start) if start and _needs(use) else []
        if start and checked and use.text.called not in told:
            told.add(use.text.called)
            yield _evidence(use.text, start, use.command, _waiting(inventory, start, checked))


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
    if following is None or shows or following.tested or _ASKS_AGAIN.search(" ".join(following.words)):
        return False
    return call is not None or following.words[0] not in _ELSEWHERE or following.words[1:2] == ("exec",)


def _checked(inventory: Inventory, start: Command) -> list[str]:
    """The services with a health check among those that a call starts."""
    return list(dict.fromkeys(item.name for item in compose_calls.started(inventory, start) if item.healthcheck))


def _waiting(inventory: Inventory, start: Command, checked: list[str]) -> str:
    """The call that waits; where a service ends by itself, which `--wait` takes for a failure, for the others alone."""
    said = _RETIRED.sub("docker compose", " ".join(start.words), 1)
    if compose_calls.leaves_ended(inventory, start):
        return f"{said}\n{said.partition(' up ')[0]} up -d --no-recreate {_WAIT} {' '.join(checked)}"
    return f"{said} {_WAIT}"


def _evidence(text: CommandText, start: Command, sleep: Command, waiting: str) -> Evidence:
    said = " ".join(start.words)
    restores = "restor" in text.path.lower() or "restor" in text.name.lower()
    return Evidence(
        f"{text.opening} sleeps for {sleep.words[-1].rstrip('s')} seconds after `{said[:60]}` and takes the services "
        "for started then, whatever their health checks say.",
        sleep.location,
        subject=f"{text.name}/sleep",
        related=(Related(start.location, "the services are started here"),),
        recommendation=f"Start with `{_WAIT}` in {text.path}, and leave the sleep out.",
        severity=Severity.MEDIUM if restores else None,  # into a server that isn't up, in an emergency
        example=files.into(text.path, waiting),
    )
