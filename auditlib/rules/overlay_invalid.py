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

import posixpath
from collections.abc import Iterator

from auditlib.conventions import compose_calls, environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import Problem
from auditlib.inventory.stack import Project
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _problem_lines as problem_lines
from auditlib.rules._rule import Evidence, rule

_UNDEFINED = frozenset({"undefined-service", "undefined-network", "undefined-volume", "undefined-model", "no-image"})
"""Faults that no other order of the files can heal."""
_SERVICE = regex(r"(?:^service |\(at services\.)([\w-]+)")


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
        if found and not compose_calls.take_more(inventory, project) and not _fits_another(inventory, project, found):
            yield _evidence(inventory, project, found)


def _is_called(inventory: Inventory, project: Project) -> bool:
    """Whether a command or a document names a file of an overlay."""
    own = {posixpath.basename(file) for file in project.files}
    return any(
        posixpath.basename(file) in own for call, _ in compose_calls.everywhere(inventory) for file in call.files
    )


def _fits_another(inventory: Inventory, project: Project, found: list[Problem]) -> bool:
    """Whether nothing says what an overlay belongs to, and another file has the services that its base lacks."""
    named = {name for item in found for name in _SERVICE.findall(item.message)}
    lacking = named - inventory.services_of(project.base or "").keys()
    others = {item.name for item in inventory.services if item.project != project.name and (item.image or item.build)}
    return not _is_called(inventory, project) and bool(others.intersection(lacking))


def _evidence(inventory: Inventory, project: Project, found: list[Problem]) -> Evidence:
    first, *others = found
    called = _is_called(inventory, project)
    unless = "" if called else "; nothing in the repository calls it, so that it may belong to another file"
    return Evidence(
        f"{project.name} doesn't work with {project.base}: {first.message}{unless}.",
        first.location,
        subject=project.name,
        related=tuple(Related(item.location, item.message, member=True) for item in others),
        recommendation=f"Bring {project.name} in line with {project.base}, then check both by "
        f"`{compose_lines.call(inventory, project.name)} config --quiet`.",
        example=problem_lines.mending(first),
        severity=Severity.MEDIUM if environments.is_for_development(project.location.file) else None,
        confidence=None if called else Confidence.MEDIUM,
    )
