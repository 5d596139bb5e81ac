"""A service needs another one that its own profile doesn't start.

Compose refuses to start a service whose required dependency isn't part of the active profiles: "depends on undefined
service". Activating the one profile alone always fails; only who happens to activate both gets the system.

Anti-pattern:

    proxy:
      profiles: [production]
      depends_on: [frontend]
    frontend:
      profiles: [frontend]

Better:

    proxy:
      profiles: [production]
      depends_on: [frontend]
    frontend:
      profiles: [frontend, production]

Recommendation:

    Give the dependency every profile of the service that needs it, or mark the dependency `required: false`.

References:

- https://docs.docker.com/compose/how-tos/profiles/#auto-starting-profiles-and-dependency-resolution
- https://docs.docker.com/reference/compose-file/services/#depends_on
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import compose_calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every required dependency that some activation of the service leaves out."""
    started = _started(inventory)
    usual = _usual(inventory)
    for service in inventory.distinct_services:
        for dependency in service.dependencies:
            target = inventory.services_of(service.project).get(dependency.service)
            if target is None or not dependency.required or not target.profiles:
                continue
            gap = [profile for profile in service.profiles if profile not in target.profiles]
            if gap or not service.profiles:
                yield Evidence(
                    _message(service, target, gap),
                    dependency.location,
                    subject=f"{service.name}/{target.name}",
                    service=service.name,
                    related=(Related(target.profiles_location or target.location, f"the profiles of {target.name}"),),
                    recommendation=_recommendation(target, gap),
                    severity=Severity.LOW
                    if environments.only_for_development(service)
                    or _are_started_together(started, gap, target)
                    or not usual.isdisjoint(target.profiles)
                    else Severity.MEDIUM
                    if not set(service.profiles).isdisjoint(target.profiles)
                    else None,
                    example=compose_lines.of_service(target, f"profiles: [{', '.join((*target.profiles, *gap))}]")
                    if gap
                    else _optional(service, target),
                )


def _started(inventory: Inventory) -> list[frozenset[str]]:
    """The profiles that each call of a command or document activates together."""
    return [call.profiles for call, _ in compose_calls.everywhere(inventory) if call.profiles]


def _usual(inventory: Inventory) -> set[str]:
    """The profiles that a file of variables activates for every call."""
    lines = (line for file in inventory.env_files for line in file.lines if line.name == "COMPOSE_PROFILES")
    return {name.strip() for line in lines if line.value for name in line.value.text.split(",")}


def _are_started_together(started: list[frozenset[str]], gap: list[str], target: Service) -> bool:
    """Whether each call that activates one of the profiles activates one of the other service too."""
    calls = [profiles for profiles in started if not profiles.isdisjoint(gap)]
    return bool(calls) and all(not profiles.isdisjoint(target.profiles) for profiles in calls)


def _optional(service: Service, target: Service) -> str:
    """All that the service waits for, that one without which it starts as well among it."""
    waits = "".join(
        f"\n  {item.service}: {{condition: {item.condition}"
        f"{', required: false' if item.service == target.name or not item.required else ''}}}"
        for item in service.dependencies
        if not item.implicit
    )
    return compose_lines.of_service(service, f"depends_on:{waits}")


def _message(service: Service, target: Service, gap: list[str]) -> str:
    how = f"with the profile {listed(gap)} alone" if gap else "without any profile"
    return (
        f"{service.name} needs {target.name}, which only the profile {listed(target.profiles)} starts: "
        f"started {how}, Compose refuses {service.name} because {target.name} isn't part of the project."
    )


def _recommendation(target: Service, gap: list[str]) -> str:
    if not gap:
        return f"Take {target.name} out of its profiles, or mark the dependency `required: false`."
    return f"Set `profiles: [{', '.join((*target.profiles, *gap))}]` for {target.name}."
