"""A script updates or scales a service that no stack has.

`docker service scale shop_backup=1` looks for the service `backup` of the stack `shop`. Where no Compose file defines
it, the command fails: the backup, restart or update that the script is there for never happens, and where its error is
thrown away nobody learns of it.

Anti-pattern:

    docker service scale shop_backup=1 2>/dev/null   # compose.yaml has no service backup

Better:

    # compose.yaml
    services:
      backup:
        deploy: {replicas: 0}

Recommendation:

    Define the service in the stack, or name the one that is meant.

References:

- https://docs.docker.com/reference/cli/docker/service/scale/
- https://docs.docker.com/reference/cli/docker/stack/deploy/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import command_words, nearest
from auditlib.conventions import command_texts, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_VERBS = frozenset({"scale", "update", "rollback", "logs", "ps", "inspect", "rm"})
_NAME = regex(r"(?P<stack>[A-Za-z0-9][A-Za-z0-9.-]*)_(?P<service>[A-Za-z0-9][\w.-]*)")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all services that its commands name and that no Compose file defines."""
    if not stacks.swarm_files(inventory):
        return
    known = {item.name for item in inventory.services}
    own = _stacks(inventory)
    for text in command_texts.texts(inventory):
        found: defaultdict[str, list[Location]] = defaultdict(list)
        for command in text.commands:
            for name in _named(command):
                if not _is_there(name, known) and (not own or name.startswith(own)):
                    found[name].append(command.location)
        if found:
            yield _evidence(text.opening, text.path, found, known)


def _stacks(inventory: Inventory) -> tuple[str, ...]:
    """How the services begin of the stacks that commands deploy; nothing where a variable names one."""
    calls = (command_words.core(list(item.words)) for text in command_texts.texts(inventory) for item in text.commands)
    names = {words[-1] for words in calls if words[:3] in (["docker", "stack", "deploy"], ["docker", "stack", "up"])}
    return () if any("$" in name for name in names) else tuple(f"{name}_" for name in sorted(names))


def _named(command: Command) -> list[str]:
    """The services that a command names with their stack, as far as they are written out."""
    core = command_words.core(list(command.words))
    if core[:2] != ["docker", "service"] or core[2:3] == [] or core[2] not in _VERBS:
        return []
    words = core[3:] if core[2] == "scale" else core[-1:]
    names = [word.partition("=")[0] for word in words if not word.startswith("-")]
    return [name for name in names if _NAME.fullmatch(name)]


def _is_there(name: str, known: set[str]) -> bool:
    """Whether some part of a name behind a `_` is a service; the stack's own name may hold one."""
    parts = name.split("_")
    return any("_".join(parts[index:]) in known for index in range(1, len(parts)))


def _evidence(opening: str, path: str, found: dict[str, list[Location]], known: set[str]) -> Evidence:
    first, *others = [(name, place) for name, places in found.items() for place in places]
    names = list(found)
    service = names[0].partition("_")[2]
    near = next(iter(nearest.names(service, sorted(known))), "")
    return Evidence(
        f"{opening} names the {'service' if len(names) == 1 else 'services'} {listed(names)}, and no Compose file of "
        f"the repository defines {'it' if len(names) == 1 else 'one of them'}: the command fails, unless something "
        "else makes it.",
        first[1],
        subject=f"{path}/{'/'.join(names)}",
        related=tuple(Related(place, f"names {name}", member=True) for name, place in others),
        recommendation=f"Define {service} in the stack, or write {f'`{near}`' if near else 'the name that it has'} "
        f"in {path}.",
        example=compose_lines.of_name(service, "image: <its image>\ndeploy: {replicas: 0}"),
    )
