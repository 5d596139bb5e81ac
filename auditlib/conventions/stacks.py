"""Questions of whole Compose projects: which services run all the time, and how overlays change them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from auditlib.conventions import deployment, environments, services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.patterns import regex

_STACK = regex(r"(?:^|[/._-])(?:stack|swarm)(?:[._-][\w.-]+?)?\.ya?ml$", re.I)


class _Owned(Protocol):
    @property
    def project(self) -> str: ...


_Item = TypeVar("_Item", bound=_Owned)


def by_project(found: Iterable[_Item]) -> dict[str, list[_Item]]:
    """Services, volumes or networks by the name of their project, in their order."""
    groups: defaultdict[str, list[_Item]] = defaultdict(list)
    for item in found:
        groups[item.project].append(item)
    return dict(groups)


def variants(inventory: Inventory, service: Service) -> list[Service]:
    """A service of a base project, and the same as each overlay of that project that may be deployed changes it."""
    found = inventory.versions(service)
    return [
        item
        for item in found
        if item.project == service.project or (item.changed_at and item.project not in inventory.aside)
    ]


def somewhere(inventory: Inventory, service: Service, holds: Callable[[Service], bool]) -> bool:
    """Whether something holds of a service itself or of what an overlay makes of it."""
    return any(holds(item) for item in variants(inventory, service))


def lasting(inventory: Inventory) -> dict[str, list[Service]]:
    """The services that run all the time, by project; no tests or tasks that end, and no tools for people, unless
    Compose is told to keep them running.
    """
    found: dict[str, list[Service]] = {}
    called = _called(inventory)
    for project, mine in by_project(inventory.deployed_services).items():
        awaited = {item.service for service in mine for item in service.dependencies if "completed" in item.condition}
        awaited.update(item.name for item in mine if item.name in called and item.profiles and not item.restart)
        kept = [
            item
            for item in mine
            if somewhere(inventory, item, _is_kept_up) or _is_lasting(inventory, item, item.name in awaited)
        ]
        if kept:
            found[project] = kept
    return found


def _is_kept_up(service: Service) -> bool:
    return service.restart in ("always", "unless-stopped") and not service.profiles


def _called(inventory: Inventory) -> frozenset[str]:
    """The words of commands that run one service for once, such as `docker compose run --rm backup`."""
    runs = (item.words for item in deployment.commands(inventory) if "run" in item.words[1:])
    return frozenset(word for words in runs if _is_compose(words) for word in words[words.index("run") + 1 :])


def _is_compose(words: tuple[str, ...]) -> bool:
    """Whether a command is Compose's, also one that a variable of a makefile holds (`$(DC) run --rm backup`)."""
    return "compose" in " ".join(words[:2]) or words[0].startswith("$")


def _is_lasting(inventory: Inventory, service: Service, awaited: bool) -> bool:
    kind = services.product(inventory, service)
    aside = kind is not None and kind.kind in services.AUXILIARY - {"exporter"}
    return not aside and not services.is_one_shot(service, awaited)


def swarm_files(inventory: Inventory) -> frozenset[str]:
    """The files that are for `docker stack deploy`, by their names or by a command that deploys them.

    Swarm starts tasks again by itself, whatever `restart` says (https://docs.docker.com/reference/cli/docker/stack/).
    """
    files = {file for project in inventory.projects for file in project.files}
    deployed = [command.words for command in deployment.commands(inventory) if command.words[:2] == ("docker", "stack")]
    return frozenset(
        file
        for file in files
        if _STACK.search(file)
        or any(word.rpartition("/")[2] == file.rpartition("/")[2] for words in deployed for word in words)
    )


def for_development(found: Iterable[Service]) -> bool:
    """Whether all of these services are for development only."""
    return all(environments.only_for_development(item) for item in found)
