"""Code demands a variable that the service which runs it is never given.

The settings fail at the first import, so that the container stops as soon as it has started, or on the first day when
the code path is reached. It goes unnoticed where a developer's own `.env` lies in the folder.

Anti-pattern:

    # settings.py
    OPENAI_API_KEY: str
    # compose.yaml
    worker:
      build: ./backend
      environment:
        DATABASE_URL: ${DATABASE_URL:?}

Better:

    worker:
      build: ./backend
      environment:
        DATABASE_URL: ${DATABASE_URL:?}
        OPENAI_API_KEY: ${OPENAI_API_KEY:?set it in .env}

Recommendation:

    Give the variable to every service that runs the code; an anchor (`<<: *backend-environment`) keeps them alike.

References:

- https://docs.pydantic.dev/latest/concepts/pydantic_settings/
- https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import mounts, programs, services
from auditlib.conventions.programs import Program
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import Setting
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _code_lines as code_lines
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_NEST = "ConfigService.get"
_ENOUGH = 2
"""Variables of the same settings that a service must be given before it counts as running their code."""


@rule(area=Area.CONFIGURATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project and set of missing variables one finding with all services that miss them."""
    found: defaultdict[tuple[str, tuple[str, ...]], list[Program]] = defaultdict(list)
    lacking: dict[str, Setting] = {}
    passed = _passed_somewhere(inventory)
    for program in programs.programs(inventory):
        asked = dict.fromkeys((*_missing(inventory, program), *_of_whole(inventory, program)))
        missing = [item for item in asked if not _is_for_others(item, passed, program)]
        lacking.update((item.name, item) for item in missing)
        if missing:
            names = tuple(sorted({item.name for item in missing}))
            found[program.service.project, names].append(program)
    for (project, names), group in found.items():
        missing = [lacking[name] for name in names]
        yield _evidence(inventory, project, missing, _fullest(group) if missing[0].style == "go" else group)
    yield from _of_programs(inventory)


def _fullest(group: list[Program]) -> list[Program]:
    """Of programs of one tree those that are given most of its settings: the others may read but a part of them."""
    given = [sum(not _names(item).isdisjoint(program.given) for item in program.settings) for program in group]
    return [program for program, number in zip(group, given, strict=True) if number == max(given)]


def _passed_somewhere(inventory: Inventory) -> dict[str, set[str]]:
    """By project what any of its programs is given."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for program in programs.programs(inventory):
        found[program.service.project] |= program.given
    return found


def _is_for_others(setting: Setting, passed: dict[str, set[str]], program: Program) -> bool:
    """Whether a setting of Go is given to another service: several programs are built from one tree, and no file tells
    which of them reads it.
    """
    return setting.style == "go" and not _names(setting).isdisjoint(passed[program.service.project])


def _of_programs(inventory: Inventory) -> Iterator[Evidence]:
    """The variables that a mounted configuration demands and that the service which mounts it isn't given."""
    for item in inventory.config_variables:
        for service in inventory.distinct_services:
            unknown = services.lacks_env_file(inventory, service)
            given = {entry.name for entry in service.environment}
            if mounts.path_inside(service, item.location.file) and item.name not in given and not unknown:
                yield Evidence(
                    f"{service.name} is never given {item.name}, which {item.location.file} demands: {item.program} "
                    "refuses to start.",
                    item.location,
                    subject=f"{service.project}/{service.name}/{item.name}",
                    service=service.name,
                    related=(Related(service.location, f"{service.name} mounts the file"),),
                    recommendation=f"Add {item.name} to the environment of {service.name}.",
                    example=_required(inventory, service, [item.name]),
                )


def _missing(inventory: Inventory, program: Program) -> Iterator[Setting]:
    """The required settings that a service isn't given although it is given others of the same class or file."""
    if services.lacks_env_file(inventory, program.service):
        return  # a file that isn't in the repository may hold them
    given = _given(program)
    groups: defaultdict[tuple[str, str], list[Setting]] = defaultdict(list)
    for item in program.settings:
        owner = item.attribute.partition(".")[0] if item.style == "pydantic" else item.style
        groups[item.location.file, owner].append(item)
    for settings in groups.values():
        passed = {item.name for item in settings if _names(item) & given}
        if len(passed) >= _ENOUGH:
            asked = (item for item in settings if item.required and not item.conditional)
            yield from (item for item in asked if not _names(item) & given)


def _of_whole(inventory: Inventory, program: Program) -> Iterator[Setting]:
    """What files demand that belong to one program whole: the modules of a Nest application, and packages of Go that
    only its image holds.
    """
    if services.lacks_env_file(inventory, program.service):
        return
    given = _given(program)
    parts: defaultdict[str, list[Setting]] = defaultdict(list)
    for item in program.settings:
        if item.style == "javascript":
            parts[f"/{item.location.file}".partition("/src/")[0]].append(item)
        elif item.style == "go":
            parts["go"].append(item)
    for part, settings in parts.items():
        if len({item.name for item in settings if _names(item) & given}) >= _ENOUGH:
            asked = (item for item in settings if item.required and not _names(item) & given)
            own = (
                item
                for item in asked
                if item.attribute == _NEST or (part == "go" and _is_own(inventory, item, program))
            )
            yield from own


def _is_own(inventory: Inventory, setting: Setting, program: Program) -> bool:
    """Whether a file lies in a folder that the image of one service alone holds."""
    file = setting.location.file
    others = (item for item in programs.programs(inventory) if item.service.name != program.service.name)
    return (
        ("" not in program.roots or bool(program.packages))
        and program.holds(file)
        and not any(item.holds(file) for item in others)
    )


def _given(program: Program) -> frozenset[str]:
    return program.given.union(name.upper() for name in (*program.service.secrets, *program.service.configs))


def _names(setting: Setting) -> set[str]:
    return {name.upper() for name in (setting.name, *setting.aliases)}


def _evidence(inventory: Inventory, project: str, missing: list[Setting], group: list[Program]) -> Evidence:
    names = [item.name for item in missing]
    services = [program.service for program in group]
    elsewhere = _given_elsewhere(inventory, names, [item.name for item in services])
    loads = any(program.holds(item.location.file) for item in inventory.settings_files for program in group)
    them = "it" if len(names) == 1 else "them"
    assumption = f", unless an environment file that isn't in the repository brings {them}" if loads else ""
    are = "is" if len(services) == 1 else "are"
    return Evidence(
        f"{listed(item.name for item in services)} {are} never given {listed(names)}, "
        f"which {missing[0].location.file} requires: its start fails{assumption}.",
        services[0].location,
        subject=f"{project}/{'/'.join(names)}",
        service=services[0].name,
        related=(
            *(Related(item.location, f"{item.name} has no default here", member=True) for item in missing),
            *(Related(item.location, f"{item.name} doesn't get it either", member=True) for item in services[1:]),
            *(Related(place, text) for place, text in elsewhere.items()),
        ),
        recommendation=f"Add {listed(names, limit=4)} to the environment of {listed(item.name for item in services)}.",
        confidence=Confidence.LOW if loads and not elsewhere else None,
        example=_required(inventory, services[0], names),
    )


def _required(inventory: Inventory, service: Service, names: list[str]) -> str:
    told = compose_lines.set_in(inventory, service.project)
    return compose_lines.of_service(service, code_lines.required(names, told))


def _given_elsewhere(inventory: Inventory, names: list[str], without: list[str]) -> dict[Location, str]:
    """Where other services are given the variables: whoever wrote that file passes them there."""
    return {
        entry.location: f"{service.name} gets {entry.name}"
        for service in inventory.services
        for entry in service.environment
        if entry.name in names and service.name not in without
    }
