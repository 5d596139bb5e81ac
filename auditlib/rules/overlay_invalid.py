"""A Compose overlay works with no base of the repository.

An overlay is only good with the file that it changes. One that has drifted from it (a service renamed, a network taken
out) is found out at the worst time, when somebody deploys with it.

Anti-pattern:

    # compose.prod.yaml
    services:
      backend:  # the base calls it api
        restart: always

Better:

    # compose.prod.yaml
    services:
      api:
        restart: always

Recommendation:

    Bring the overlay in line with its base; have the pipeline run `docker compose -f … -f … config --quiet`.

References:

- https://docs.docker.com/reference/cli/docker/compose/config/
- https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import compose_calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Problem, Project
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _problem_lines as problem_lines
from auditlib.rules._rule import Evidence, rule

_UNDEFINED = frozenset({"undefined-service", "undefined-network", "undefined-volume", "undefined-model", "no-image"})
"""Faults that no other order of the files can heal."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each overlay one finding for all that its base lacks, or that Compose refuses in the overlay itself."""
    for project in inventory.projects:
        if project.role != "overlay":
            continue
        found = [
            item
            for item in inventory.problems
            if item.project == project.name and item.kind == "error" and item.location.file in project.files
        ]
        found = [item for item in found if item.code in _UNDEFINED]
        if found and not compose_calls.take_more(inventory, project):
            yield _evidence(inventory, project, found)


def _evidence(inventory: Inventory, project: Project, found: list[Problem]) -> Evidence:
    first, *others = found
    return Evidence(
        f"{project.name} doesn't work with {project.base}: {first.message}.",
        first.location,
        subject=project.name,
        related=tuple(Related(item.location, item.message, member=True) for item in others),
        recommendation=f"Bring {project.name} in line with {project.base}, then check both by "
        f"`{compose_lines.call(inventory, project.name)} config --quiet`.",
        example=problem_lines.mending(first),
        severity=Severity.MEDIUM if environments.is_for_development(project.location.file) else None,
    )
