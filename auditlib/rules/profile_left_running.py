"""A stop leaves the services of a profile running.

`docker compose down` sees the services without a profile, and those of the profiles that it is given. What
`docker compose --profile monitoring up -d` started goes on after a plain `down`, which then can't remove the network
that those containers are in, and says so only as an error at its end.

Anti-pattern:

    monitoring:
        docker compose --profile monitoring up -d
    down:
        docker compose down

Better:

    monitoring:
        docker compose --profile monitoring up -d
    down:
        docker compose --profile monitoring down

Recommendation:

    Give `down` the profiles that are started, or all of them by `--profile "*"`.

References:

- https://docs.docker.com/compose/how-tos/profiles/#stop-application-and-services-with-specific-profiles
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from auditlib import compose_command
from auditlib.compose_command import Call
from auditlib.conventions import compose_calls, deployment, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Manifest
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_STOPS = frozenset({"down", "stop", "rm", "kill"})
_ALL = "COMPOSE_PROFILES"
_SHORT = 60
"""Characters of options that a sentence takes."""

Called = tuple[Command, Call]


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each makefile that starts services of a profile, stops the project, and knows no stop with that profile."""
    if not any(service.profiles for service in inventory.services) or _are_set(inventory):
        return
    for manifest in inventory.manifests:
        calls = list(_calls(manifest)) if manifest.kind == "make" else []
        down = next((each for each in calls if _is_plain(each[1])), None)
        left = _left(inventory, down, calls) if down else []
        if down and left:
            yield _evidence(manifest.path, *down, left)


def _are_set(inventory: Inventory) -> bool:
    """Whether a variable may activate profiles for every call."""
    in_files = any(line.name == _ALL for file in inventory.env_files for line in file.lines)
    return in_files or any(
        _ALL in command.assignments or any(_ALL in word for word in command.words)
        for command in deployment.commands(inventory)
    )


def _calls(manifest: Manifest) -> Iterator[Called]:
    for target in manifest.targets:
        for command in target.commands:
            if call := compose_command.of(command.words):
                yield command, call


def _is_plain(call: Call) -> bool:
    """Whether a call stops all services that have no profile."""
    return call.verb == "down" and not (call.profiles or call.services or call.project)


def _left(inventory: Inventory, down: Called, calls: Iterable[Called]) -> list[tuple[Command, Service]]:
    """The services that are started with a profile, each with the call, and that no stop of the repository means."""
    stops = [call for call, _ in compose_calls.everywhere(inventory) if call.verb in _STOPS]
    found: dict[str, tuple[Command, Service]] = {}
    for command, call in calls:
        if call.verb == "up" and call.profiles and call.is_in_background and _names(call) == _names(down[1]):
            for service in _services(inventory, call):
                started = call.profiles & {*service.profiles} and not services.is_one_shot(service)
                if started and not any(_means(stop, service) for stop in stops):
                    found.setdefault(service.name, (command, service))
    return list(found.values())


def _names(call: Call) -> set[str]:
    return set(map(posixpath.basename, call.files))


def _services(inventory: Inventory, call: Call) -> list[Service]:
    """The services of the one project that a call means."""
    names = _names(call)
    found = [
        item for item in inventory.base_projects
        if not names or names <= {posixpath.basename(file) for file in item.files}
    ]  # fmt: skip
    return list(inventory.services_of(found[0].name).values()) if len(found) == 1 else []


def _means(stop: Call, service: Service) -> bool:
    """Whether a call stops a service: by its name, by its profile, or by an expression that may hold either."""
    unknown = any("$" in word for word in (*stop.options, *stop.arguments) if "profile" in word.lower())
    given = bool(stop.profiles & {*service.profiles, "*"}) or any("$" in profile for profile in stop.profiles)
    return service.name in stop.services or given or unknown


def _evidence(path: str, command: Command, call: Call, left: list[tuple[Command, Service]]) -> Evidence:
    names = listed((service.name for _, service in left), limit=4)
    profiles = sorted({name for _, service in left for name in service.profiles})
    options = " ".join(f"--profile {name}" for name in profiles)
    given = options if len(options) < _SHORT else "each `--profile`"
    told = " ".join(command.words)
    starting = {item.location: item for item, _ in left}.values()
    return Evidence(
        f"`{told}` of {path} leaves {names} running, which {path} starts with a profile and nothing stops with it.",
        command.location,
        subject=f"{path}/{'/'.join(profiles)}",
        related=(
            *(Related(item.location, "starts services of a profile") for item in starting),
            *(
                Related(service.location, f"{service.name} has the profile {listed(service.profiles)}")
                for _, service in left[:4]
            ),
        ),
        recommendation=f"Write {given} before `{call.verb}` in {path}.",
        example=files.into(path, told.replace(f" {call.verb}", f" {options} {call.verb}", 1)),
    )
