"""An image is built to a stage that its Dockerfile lacks.

`build.target` names a stage, as `docker build --target` does. If the Dockerfile has none of that name, the build fails
with "target stage could not be found".

Anti-pattern:

    api:
      build:
        context: ./api
        target: production  # the Dockerfile has `AS builder` and `AS runtime`

Better:

    api:
      build:
        context: ./api
        target: runtime

Recommendation:

    Name a stage that the Dockerfile declares with `FROM … AS name`, or leave `target` out to build the last one.

References:

- https://docs.docker.com/reference/compose-file/build/#target
- https://docs.docker.com/build/building/multi-stage/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import build_calls, build_context, services
from auditlib.conventions.build_calls import BuildCall
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.inventory.stack import Build, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every `target` that is neither the name nor the number of a stage: of services once together, and of commands."""
    missing: defaultdict[tuple[str, str], list[tuple[Service, Build, Dockerfile]]] = defaultdict(list)
    for service in inventory.services:
        found = services.dockerfile(inventory, service) or build_context.meant(inventory, service)
        build = service.build
        if found is None or build is None or build.inline or not found.stages:
            continue
        target = build.target.lower()
        if _is_missing(found, target):
            missing[found.path, target].append((service, build, found))
    told: set[tuple[str, Location]] = set()  # what an overlay builds from another file has its base's target again
    for uses in missing.values():
        first = (uses[0][0].name, _place(uses[0][1]))
        if first not in told:
            yield _evidence(uses)
        told.add(first)
    for call in build_calls.of(inventory):
        if _is_missing(call.dockerfile, call.target.lower()):
            yield _of_call(call)


def _is_missing(found: Dockerfile, target: str) -> bool:
    names = [stage.name for stage in found.stages]
    numbered = target.isdigit() and int(target) < len(names)
    return bool(names and target) and target not in names and not numbered and "$" not in target


def _of_call(call: BuildCall) -> Evidence:
    named = [stage.name for stage in call.dockerfile.stages if not stage.name.isdigit()]
    place = call.target_location or call.location
    return Evidence(
        f"{call.caller} builds {call.dockerfile.path} to the stage {call.target}, which it doesn't have"
        f"{f'; it has {listed(named)}' if named else ''}.",
        place,
        subject=f"{place.file}/{call.dockerfile.path}/{call.target}",
        related=tuple(Related(stage.location, f"the stage {stage.name}") for stage in call.dockerfile.stages),
        recommendation=f"Name one of {listed(named)}, or leave the target out for the last stage."
        if named
        else "Leave the target out, or name the stage in the Dockerfile.",
        change=(call.target, named[0]) if len(named) == 1 else ("", ""),
        example=files.into(place.file, "--target <one of the Dockerfile's stages>"),
    )


def _evidence(uses: list[tuple[Service, Build, Dockerfile]]) -> Evidence:
    (service, build, found), *others = uses
    target = build.target.lower()
    named = [stage.name for stage in found.stages if not stage.name.isdigit()]
    names = listed(dict.fromkeys(item.name for item, _, _ in uses))
    places = {_place(other): item.name for item, other, _ in others if _place(other) != _place(build)}
    change = (build.target, named[0]) if len(named) == 1 else ("", "")
    return Evidence(
        f"{names} {'is' if len({item.name for item, _, _ in uses}) == 1 else 'are'} built to the stage {target}, which "
        f"{found.path} doesn't have{f'; it has {listed(named)}' if named else ''}.",
        _place(build),
        subject=f"{service.name}/{target}",
        service=service.name,
        related=(
            *(
                Related(place, f"{name} is built to it too", member=True, change=change)
                for place, name in places.items()
            ),
            *(Related(stage.location, f"the stage {stage.name}") for stage in found.stages),
        ),
        recommendation=f"Name one of {listed(named)} in the `target` of {names}." if named else "",
        change=change,
        example=compose_lines.of_service(service, _target(named)),
    )


def _place(build: Build) -> Location:
    return build.target_location or build.location


def _target(named: list[str]) -> str:
    return (
        f"build:\n  target: <one of {listed(named)}>" if named else "build:\n  # without `target`, for the last stage"
    )
