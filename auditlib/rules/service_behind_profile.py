"""A service starts with a profile only, and nothing in the repository activates the profile.

`docker compose up` leaves out every service whose profiles aren't active, without a word. If no script, workflow,
environment file or document names the profile, a deployment lacks these services until somebody reads the Compose file.

Anti-pattern:

    frontend:
      build: ./frontend
      profiles: [frontend]        # deploy.sh: docker compose up -d

Better:

    frontend:
      build: ./frontend           # part of every start

    # or, where it is optional, in deploy.sh:
    #   docker compose --profile frontend up -d

Recommendation:

    Name the profile where the system is started (`--profile`, or `COMPOSE_PROFILES` in the environment file) and in the
    documentation, or take services that users need out of it.

References:

- https://docs.docker.com/compose/how-tos/profiles/
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib import compose_command
from auditlib.conventions import deployment, environments, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_TESTS = regex(r"tests?|testing|e2e|ci|integration(?:[-_]tests?)?")
_BY_VARIABLE = regex(r"--profile[= ]['\"]?\$[\w{(]")
_OFF = regex(
    r"(?:disabled?|(?:do[-_]?not|dont|never|no)[-_]?(?:start|run|up)?|none|off|inactive|unused|ignored?|hidden|manual|"
    r"build(?:[-_]?only)?|base|template|placeholder|skip(?:ped)?)"
)
"""Profiles that keep a service from starting by intent, or that are there to be built alone."""
_COMPOSE = regex(r"\bdocker[ -]compose\b")


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every profile of a project that nothing activates: one finding for all services behind it and no other one."""
    gated: defaultdict[tuple[str, str], list[Service]] = defaultdict(list)
    for service in inventory.distinct_services:
        for profile in service.profiles:
            gated[service.project, profile].append(service)
    texts = list(_texts(inventory))
    active = {key for key, members in gated.items() if _is_activated(texts, key[1], members)}
    for (project, profile), members in gated.items():
        if _OFF.fullmatch(profile.lower()):
            continue
        left = [item for item in members if active.isdisjoint((project, other) for other in item.profiles)]
        if left and _matters(inventory, left):
            yield _evidence(inventory, profile, left)


def _is_activated(texts: list[str], profile: str, members: list[Service]) -> bool:
    """Whether something starts a profile, or one of its services by its name."""
    names = {service.name for service in members}
    return any(_activates(text, profile, names) for text in texts)


def _matters(inventory: Inventory, members: list[Service]) -> bool:
    """Whether there is more behind the profile than tools for people."""
    found = [services.product(inventory, item) for item in members if not services.is_on_demand(item)]
    return any(item is None or item.kind not in services.AUXILIARY - {"test"} for item in found)


def _texts(inventory: Inventory) -> Iterator[str]:
    """Everything that may activate a profile: commands, documents, comments of Compose files, variables of files
    and jobs.
    """
    yield from (" ".join(command.words) for command in deployment.commands(inventory))
    yield from (mention.text for document in inventory.documents for mention in document.mentions)
    for line in (line for file in inventory.env_files for line in file.lines if line.value is not None):
        yield f"{line.name}={line.value}"
    yield from (f"{pair.name}={pair.value}" for pair in deployment.workflow_variables(inventory))
    yield from (f"--profile {name}" for project in inventory.projects for name in project.told_profiles)
    yield from (f"--profile {item.name}" for item in inventory.told_profiles)
    yield from (call for project in inventory.projects for call in project.told_calls)


def _activates(text: str, profile: str, names: set[str]) -> bool:
    if match := re.search(r"COMPOSE_PROFILES=(\S+)", text):
        return "$" in match[1] or bool({profile, "*"} & set(match[1].strip("\"'").split(",")))
    if re.search(rf"--profile[= ]['\"]?(?:{re.escape(profile)}(?=['\"\s]|$)|\*)", text):
        return True
    if _COMPOSE.search(text) and _BY_VARIABLE.search(text):
        return True
    words = [word.strip("\"'`.,:;()") for word in text.split()]
    starts = _COMPOSE.search(text) and {"up", "run", "start", "create"} & set(words)
    return bool(starts and names & set(words))


def _starts(inventory: Inventory, project: str) -> list[Command]:
    """The commands that start a project, of those that name Compose files the ones that name its own."""
    mine = {posixpath.basename(file) for item in inventory.projects if item.name == project for file in item.files}
    calls = ((item, compose_command.of(item.words)) for item in deployment.commands(inventory))
    return [
        item
        for item, call in calls
        if call and call.verb == "up"
        and (not call.files or not mine.isdisjoint(map(posixpath.basename, call.files)))
    ]  # fmt: skip


def _together(inventory: Inventory, project: str, profile: str) -> list[str]:
    """A profile, and those without which Compose refuses it: they hold services that its own ones require."""
    found = [profile]
    members = inventory.services_of(project)
    waiting = [item for item in members.values() if not item.profiles or profile in item.profiles]
    while waiting:
        needed = (members.get(item.service) for item in waiting.pop().dependencies if item.required)
        for target in filter(None, needed):
            if target.profiles and set(found).isdisjoint(target.profiles):
                found.append(target.profiles[0])
                waiting += [item for item in members.values() if target.profiles[0] in item.profiles]
    return found


def _evidence(inventory: Inventory, profile: str, members: list[Service]) -> Evidence:
    first, *others = members
    products = [services.product(inventory, service) for service in members]
    needed = any(service.ports for service in members) and not all(item and item.kind == "test" for item in products)
    aside = all(environments.only_for_development(service) for service in members)
    names = listed(service.name for service in members)
    together = _together(inventory, first.project, profile)
    starts = _starts(inventory, first.project)
    advice, example = _advice(inventory, profile, members, together, needed)
    return Evidence(
        f"{names} {'starts' if len(members) == 1 else 'start'} with the profile {profile} only, and no script, "
        "workflow, environment file or document of the repository activates it: `docker compose up` leaves "
        f"{'it' if len(members) == 1 else 'them'} out.",
        first.profiles_location or first.location,
        subject=profile,
        service=first.name,
        related=(
            *(
                Related(item.profiles_location or item.location, f"{item.name} has the profile too", member=True)
                for item in others
            ),
            *(Related(item.location, "starts the system without the profile") for item in starts[:5]),
        ),
        recommendation=advice,
        severity=None if needed and not aside else Severity.LOW,
        example=example,
    )


def _advice(
    inventory: Inventory, profile: str, members: list[Service], together: list[str], needed: bool
) -> tuple[str, str]:
    """What to do about services that nobody starts, and the command: by the tests, by hand, or where it is deployed."""
    names = listed(service.name for service in members)
    compose = compose_lines.call(inventory, members[0].project)
    start = f"{compose} {' '.join(f'--profile {shlex.quote(item)}' for item in together)} up"
    if _TESTS.fullmatch(profile.lower()):
        return f"Have the tests start {names} by `{start}`, or remove what no test uses.", f"{start} -d"
    if all(services.is_one_shot(service) for service in members) and not needed:
        run = f"{compose} run --rm {shlex.quote(members[0].name)}"
        return f"Write `{run}` where people look for it, or remove {names}.", run
    variable = f"COMPOSE_PROFILES={','.join(together)}"
    return (
        f"Set `{variable}` where it is deployed, or start with `{start}`. Drop the profile of services that every "
        "deployment needs.",
        f"{start} -d\n# or in .env, where it is deployed\n{variable}",
    )
