"""What an overlay adds to its base and what it changes, so that nothing of the base stands in the inventory twice, and
what is left out of what is deployed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from posixpath import dirname

from msgspec import structs

from auditlib.inventory.stack import Service
from auditlib.readers.compose import raw
from auditlib.readers.compose.projects import Resolved
from auditlib.source import Source
from auditlib.stages import is_for_development


def only_changes(resolved: Resolved, base: Resolved | None, source: Source) -> Resolved:
    """A project without what its base has already, in the same words and at the same place."""
    if base is None:
        return resolved
    known = {type(item).__name__ + item.name for item in base.resources}
    problems = {(item.kind, item.message, item.location) for item in base.problems}
    return structs.replace(
        resolved,
        services=tuple(_changed(resolved, base, source)),
        resources=tuple(item for item in resolved.resources if type(item).__name__ + item.name not in known),
        variables=tuple(item for item in resolved.variables if item.location.file not in base.files),
        problems=tuple(item for item in resolved.problems if (item.kind, item.message, item.location) not in problems),
    )


def _changed(resolved: Resolved, base: Resolved, source: Source) -> Iterator[Service]:
    before = {service.name: service for service in base.services}
    own_file = resolved.project.location.file
    places = raw.service_places(source, own_file)
    for service in resolved.services:
        old = before.get(service.name)
        if old is None:
            yield service
            continue
        same_place = structs.replace(service, project=old.project, location=old.location)
        if same_place != old:
            place = places.get(service.name, resolved.project.location)
            yield structs.replace(service, location=old.location, changed_at=place)


def set_aside(found: Sequence[Resolved]) -> list[Resolved]:
    """The projects, with those marked that what is deployed from their folder leaves out."""
    deployed: defaultdict[str, set[str]] = defaultdict(set)
    for item in found:
        if item.project.started_at:
            deployed[dirname(item.project.location.file)].update(service.name for service in item.services)
    return [_aside(item) if _is_left_out(item, deployed) else item for item in found]


def _is_left_out(item: Resolved, deployed: Mapping[str, set[str]]) -> bool:
    """Whether a project isn't deployed beside what is: an overlay for development, or a base with the same services."""
    project = item.project
    names = deployed.get(dirname(project.location.file))
    if names is None or project.started_at or project.for_swarm:
        return False
    if project.role == "overlay":
        return is_for_development(project.location.file)
    return not names.isdisjoint(service.name for service in item.services)


def _aside(item: Resolved) -> Resolved:
    return structs.replace(item, project=structs.replace(item.project, aside=True))
