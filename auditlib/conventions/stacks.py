"""Questions of whole Compose projects: which services run all the time, and how overlays change them."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from auditlib import stages
from auditlib.compose.discovery import BASES, OVERRIDES
from auditlib.conventions import compose_calls, data_folders, deployment, environments, exporters, services
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.stack import Project, Service
from auditlib.patterns import regex
from auditlib.phrases import listed

_STACK = regex(r"(?:^|[/._-])(?:stack|swarm)(?:[._-][\w.-]+?)?\.ya?ml$", re.I)


_SMALL = 4
"""Services of a project that is one program with its stores."""
_MANY = 3
_STARTING = frozenset({"up", "start", "create", "restart", "watch"})
"""Verbs of Compose that start what lasts."""


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


def gathered(groups: dict[str, list[Service]]) -> list[list[Service]]:
    """The services by project, those of editions of one stack together, and small projects where there are many: nobody
    reads one finding for each.

    Many small ones are the layout of a home server, a folder with a Compose file for every program.
    """
    small = [mine for mine in groups.values() if len(mine) <= _SMALL]
    if len(small) <= _MANY:
        return _by_stack(list(groups.values()))
    return [[item for mine in small for item in mine], *_by_stack([x for x in groups.values() if x not in small])]


def _by_stack(groups: list[list[Service]]) -> list[list[Service]]:
    """Groups of services, those together that are editions of one stack: files of one folder with the same names."""
    found: list[_Stack] = []
    by_folder: defaultdict[str, list[_Stack]] = defaultdict(list)
    for mine in groups:
        own = {item.name for item in mine}
        folders = {posixpath.dirname(file) for file in {item.location.file for item in mine}}
        beside = by_folder[folders.pop()] if len(folders) == 1 else []
        same = next((each for each in beside if _is_edition(each.names, own)), None)
        if same is None:
            same = _Stack(set(), [])
            found.append(same)
            beside.append(same)
        same.names.update(own)
        same.services.extend(mine)
    return [each.services for each in found]


class _Stack(Struct):
    """The services of the editions of a stack, and their names."""

    names: set[str]
    services: list[Service]


def _is_edition(one: set[str], other: set[str]) -> bool:
    """Whether the services of two Compose files of a folder are one stack: they share most of the smaller's names."""
    return len(one & other) * 2 > min(len(one), len(other))


def _are_editions(mine: list[Service]) -> bool:
    return len(_by_stack(list(by_project(mine).values()))) == 1


def beside(mine: list[Service], found: list[Service]) -> list[Service]:
    """Of several editions of a stack the services of those that have a fault at all."""
    faulty = {item.project for item in found}
    return [item for item in mine if item.project in faulty] if _are_editions(mine) else mine


def names(found: Iterable[Service]) -> list[str]:
    """The names of services, each once; editions of a stack have the same."""
    return list(dict.fromkeys(item.name for item in found))


def of_application(inventory: Inventory) -> list[Project]:
    """The projects that start what the repository is about, production's first.

    Where all run programs of others, as a monitoring does, and there is code of its own, none does.
    """
    ordered = sorted(inventory.base_projects, key=lambda item: _remoteness(inventory, item.location.file))
    own = [item for item in ordered if any(map(_is_own, inventory.services_of(item.name).values()))]
    with_code = any(item.kind != "make" for item in inventory.manifests)
    return own or ([] if with_code else ordered)


def _remoteness(inventory: Inventory, file: str) -> int:
    """How far a Compose file is from production: that of trials (`compose.staging.yml`) isn't it, and is near."""
    if environments.in_development_file(inventory, file):
        return 3
    return 2 if stages.names_trial(file) else int(not stages.names_production(file))


def _is_own(service: Service) -> bool:
    """Whether a service runs what is built here, or an image of which nobody knows what it is."""
    known = data_folders.product(service.image) or exporters.of_image(service.image)
    return service.build is not None or known is None


def owner(mine: list[Service]) -> str:
    """The project that services are of, for what a finding is called by; `projects` for several, unless one stack."""
    one = len({item.project for item in mine}) == 1 or _are_editions(mine)
    return mine[0].project if one else "projects"


def place(mine: list[Service]) -> str:
    """Where services are of several Compose files: `in 8 Compose files`; nothing for one."""
    files = {item.location.file for item in mine}
    return f" in {len(files)} Compose files" if len(files) > 1 else ""


def variants(inventory: Inventory, service: Service) -> list[Service]:
    """A service of a base project, and the same as each overlay of that project that may be deployed changes it."""
    found = inventory.versions(service)
    return [
        item
        for item in found
        if item.project == service.project or (item.changed_at and item.project not in inventory.aside)
    ]


def in_operation(inventory: Inventory, service: Service) -> list[Service]:
    """The same less what overlays for development make of it."""
    found = variants(inventory, service)
    return [item for item in found if not (item.changed_at and environments.is_for_development(item.changed_at.file))]


def somewhere(inventory: Inventory, service: Service, holds: Callable[[Service], bool]) -> bool:
    """Whether something holds of a service itself or of what an overlay makes of it."""
    return any(holds(item) for item in variants(inventory, service))


def lasting(inventory: Inventory) -> dict[str, list[Service]]:
    """The services that run all the time, by project; no tests or tasks that end, and no tools for people, unless
    Compose is told to keep them running. Files for development come last, so that none stands for all editions.
    """
    found: dict[str, list[Service]] = {}
    called = _called(inventory)
    run = _only_run(inventory)
    groups = by_project(inventory.deployed_services).items()
    for project, mine in sorted(groups, key=lambda item: _aside(inventory, item)):
        awaited = {item.service for service in mine for item in service.dependencies if "completed" in item.condition}
        awaited.update(item.name for item in mine if item.name in called and item.profiles and not item.restart)
        awaited.update(item.name for item in mine if _file(item) in run and not item.restart)
        kept = [
            item
            for item in mine
            if somewhere(inventory, item, _is_kept_up) or _is_lasting(inventory, item, item.name in awaited)
        ]
        if kept:
            found[project] = kept
    return found


def _aside(inventory: Inventory, item: tuple[str, list[Service]]) -> bool:
    return all(environments.is_for_developers(inventory, service) for service in item[1])


def left_out(inventory: Inventory, lasting: Collection[Service]) -> str:
    """A sentence on the tools for people in the projects of services that run all the time, if some aren't counted."""
    known = {item.key for item in lasting}
    projects = {item.project for item in lasting}
    mine = [item for item in inventory.deployed_services if item.project in projects]
    names = [item.name for item in mine if item.key not in known and not item.profiles and _is_tool(inventory, item)]
    return f" Tools for people ({listed(names)}) aren't counted." if names else ""


def _is_tool(inventory: Inventory, service: Service) -> bool:
    found = services.product(inventory, service)
    return found is not None and found.kind == "tool" and not environments.is_for_developers(inventory, service)


def _is_kept_up(service: Service) -> bool:
    return service.restart in ("always", "unless-stopped") and not service.profiles


def _file(service: Service) -> str:
    return posixpath.basename(service.location.file)


def _only_run(inventory: Inventory) -> frozenset[str]:
    """The names of Compose files that every call names to run one service for once, and none to start what is there;
    not of those that Compose finds by itself.
    """
    verbs: defaultdict[str, set[str]] = defaultdict(set)
    for call, _ in compose_calls.everywhere(inventory):
        for file in call.files:
            verbs[posixpath.basename(file)].add(call.verb)
    return frozenset(
        file
        for file, found in verbs.items()
        if "run" in found and found.isdisjoint(_STARTING) and file not in (*BASES, *OVERRIDES)
    )


def _called(inventory: Inventory) -> frozenset[str]:
    """The words of commands that run one service for once, such as `docker compose run --rm backup`."""
    told = (tuple(item.text.split()) for item in deployment.documented_commands(inventory))
    words = (*(item.words for item in deployment.commands(inventory)), *told)
    runs = (item for item in words if "run" in item[1:])
    return frozenset(word for words in runs if _is_compose(words) for word in words[words.index("run") + 1 :])


def _is_compose(words: tuple[str, ...]) -> bool:
    """Whether a command is Compose's, also one that a variable of a makefile holds (`$(DC) run --rm backup`)."""
    return "compose" in " ".join(words[:2]) or words[0].startswith("$")


def _is_lasting(inventory: Inventory, service: Service, awaited: bool) -> bool:
    kind = services.product(inventory, service)
    aside = kind is not None and kind.kind in services.AUXILIARY - {"exporter"}
    return not aside and not services.is_one_shot(service, awaited)


def is_beside_programs(inventory: Inventory, mine: Iterable[Service]) -> bool:
    """Whether services are stores that programs outside of Compose ask at published ports, and nothing deploys them:
    what a developer starts beside the code.
    """
    found = [(item, services.product(inventory, item)) for item in mine]
    stores = [item for item, kind in found if kind and kind.kind in services.DATASTORES]
    others = [item for item, kind in found if kind is None or kind.kind not in services.DATASTORES | services.AUXILIARY]
    alone = bool(stores) and not others and all(item.ports for item in stores)
    return alone and not deployment.signs_of_production(inventory)


def swarm_files(inventory: Inventory) -> frozenset[str]:
    """The files that are for `docker stack deploy`, by their names or by a command that deploys them.

    Swarm starts tasks again by itself, whatever `restart` says (https://docs.docker.com/reference/cli/docker/stack/).
    """
    files = {file for project in inventory.projects for file in project.files}
    own = {file for project in inventory.projects if project.for_swarm for file in project.files}
    deployed = [command.words for command in deployment.commands(inventory) if command.words[:2] == ("docker", "stack")]
    return frozenset(
        file
        for file in files
        if _STACK.search(file)
        or file in own
        or any(word.rpartition("/")[2] == file.rpartition("/")[2] for words in deployed for word in words)
    )


def in_swarm(inventory: Inventory, service: Service) -> bool:
    """Whether a service is deployed as part of a stack of Swarm, and never started by Compose."""
    return service.project in _of_swarm(inventory)


@answered_once
def _of_swarm(inventory: Inventory) -> frozenset[str]:
    return frozenset(item.name for item in inventory.projects if item.for_swarm)


def for_development(found: Iterable[Service]) -> bool:
    """Whether all of these services are for development only."""
    return all(environments.only_for_development(item) for item in found)
