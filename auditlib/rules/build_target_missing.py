"""A service is built to a stage that its Dockerfile lacks.

`build.target` names a stage. If the Dockerfile has none of that name, the build fails with "target stage could not be
found".

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

from collections.abc import Iterator

from auditlib.conventions import build_context, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every `target` that is neither the name nor the number of a stage."""
    for service in inventory.services:
        found = services.dockerfile(inventory, service) or build_context.meant(inventory, service)
        if found is None or service.build is None or service.build.inline or not found.stages:
            continue
        target = service.build.target.lower()
        names = [stage.name for stage in found.stages]
        numbered = target.isdigit() and int(target) < len(names)
        if target and target not in names and not numbered and "$" not in target:
            named = [name for name in names if not name.isdigit()]
            yield Evidence(
                f"{service.name} is built to the stage {target}, which {found.path} doesn't have"
                f"{f'; it has {listed(named)}' if named else ''}.",
                service.build.target_location or service.build.location,
                subject=f"{service.name}/{target}",
                service=service.name,
                related=tuple(Related(stage.location, f"the stage {stage.name}") for stage in found.stages),
                recommendation=f"Name one of {listed(named)} in the `target` of {service.name}." if named else "",
                change=(service.build.target, named[0]) if len(named) == 1 else ("", ""),
                example=compose_lines.of_service(service, _target(named)),
            )


def _target(named: list[str]) -> str:
    return (
        f"build:\n  target: <one of {listed(named)}>" if named else "build:\n  # without `target`, for the last stage"
    )
