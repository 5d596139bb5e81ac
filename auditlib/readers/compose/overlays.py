"""What an overlay adds to its base and what it changes, so that nothing of the base stands in the inventory twice."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from auditlib.inventory.stack import Service
from auditlib.readers.compose import raw
from auditlib.readers.compose.projects import Resolved
from auditlib.source import Source


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
