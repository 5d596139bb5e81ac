"""A command names a container by the name of its service.

Compose calls the container of the service `db` `<project>-db-1`, or as its `container_name` says. `docker exec db`
finds none and fails: in a script for backups that leaves an empty file, in a deployment a step that is never done.

Anti-pattern:

    docker exec db pg_dump -U shop shop > shop.sql

Better:

    docker compose exec -T db pg_dump -U shop shop > shop.sql

Recommendation:

    Use `docker compose exec` and the like, which know services by their names.

References:

- https://docs.docker.com/reference/compose-file/services/#container_name
- https://docs.docker.com/reference/cli/docker/compose/exec/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib import command_words
from auditlib.conventions import deployment, documented_containers, environments
from auditlib.conventions.documented_containers import Known
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STARTS = regex(r"(?:mongo|postgres|mysql|mariadb|redis|elastic|kafka|rabbit|container|docker-run|service)", re.I)
"""What the name of an action says that may start a container."""
_WORD = regex(r"[a-z\d_]+")
_VERBS = frozenset({"exec", "cp", "logs", "restart", "stop", "start", "kill"})


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file and service with such commands, where no container is called so."""
    there = documented_containers.known(inventory)
    free = {item.service for item in inventory.variables if item.target.endswith(".container_name")}
    found: defaultdict[tuple[str, str], list[Command]] = defaultdict(list)
    made = _made_by_actions(inventory)
    for command in deployment.commands(inventory) if there.services else ():
        name = _named(command, there)
        if name and name not in free | made and not (command.cannot_fail or command.tested):
            found[command.location.file, name].append(command)
    for (_, name), commands in found.items():
        yield _evidence(inventory, name, commands)


def _made_by_actions(inventory: Inventory) -> set[str]:
    """The names that an action may give to a container: those that its own name or inputs hold."""
    texts = [f"{step.uses} {' '.join(pair.value for pair in step.inputs)}" for step in inventory.steps if step.uses]
    names = {item.name for item in inventory.services}
    words = {word for text in texts if _STARTS.search(text) for word in _WORD.findall(text)}
    return {name for name in names if name in words}


def _named(command: Command, there: Known) -> str:
    """The service that a command of Docker takes for a container."""
    words = command_words.core(list(command.words))
    verb, arguments = command_words.split(words[1:]) if words[:1] == ["docker"] else ("", [])
    if verb not in _VERBS:
        return ""
    named = [word.partition(":")[0] for word in arguments if ":" in word] if verb == "cp" else []
    name = named[0] if named else documented_containers.named(arguments) if verb != "cp" else ""
    return name if name in there.services - there.containers else ""


def _evidence(inventory: Inventory, name: str, commands: list[Command]) -> Evidence:
    first, *others = commands
    called = sorted({item.container_name for item in inventory.services if item.name == name} - {""})
    verb = next(word for word in first.words if word in _VERBS)
    real = listed(called) if called else f"`<project>-{name}-1`"
    return Evidence(
        f"`{' '.join(first.words)[:70]}` names a container {name}; there is none, as that of the service is called "
        f'{real}: Docker answers "No such container".',
        first.location,
        subject=f"{first.location.file}/{name}",
        related=tuple(Related(item.location, f"names {name} as well", member=True) for item in others),
        recommendation=f"Write `docker compose {verb}` in place of `docker {verb}`.",
        severity=Severity.LOW if environments.is_for_development(first.location.file) else None,
        example=files.into(first.location.file, f"docker compose {verb}{' -T' if verb == 'exec' else ''} {name}"),
    )
