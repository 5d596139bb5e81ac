"""The memory limits of a stack are more than its host is said to have.

Limits keep a service that leaks from taking the memory of the others. Where all of them together are above what the
host has, they don't: the kernel runs out of memory first and kills the process it likes best, often the database.

Anti-pattern:

    # README.md: - RAM: 4GB
    services:
      db: {mem_limit: 2g}
      api: {mem_limit: 2g}
      worker: {mem_limit: 2g}

Better:

    # README.md: - RAM: 8GB
    services:
      db: {mem_limit: 2g}
      api: {mem_limit: 2g}
      worker: {mem_limit: 2g}

Recommendation:

    Measure what each service needs, and ask for a host that has all of it, or lower the limits.

References:

- https://docs.docker.com/engine/containers/resource_constraints/
- https://docs.docker.com/reference/compose-file/deploy/#resources
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from auditlib import stages
from auditlib.conventions import services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Mention
from auditlib.inventory.stack import Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_GIB = 2**30
_NUMBER = regex(r"\d+(?:[.,]\d)?")


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The deployed project with the highest limits, where they are above the most that a document asks for."""
    told = [
        item
        for document in inventory.documents if not stages.is_for_development(document.path)
        for item in document.mentions if item.kind == "memory"
    ]  # fmt: skip
    most = max(told, key=_amount, default=None)
    if most is None:
        return
    limited = ((project, _limited(inventory, project)) for project in inventory.deployed_projects)
    project, found = max(limited, key=lambda pair: _sum(pair[1]), default=(None, []))
    if project and len(found) > 1 and _sum(found) > _amount(most):
        yield _evidence(project, found, most)


def _amount(item: Mention) -> float:
    number = _NUMBER.search(item.text)
    return float(number[0].replace(",", ".")) if number else math.inf


def _limited(inventory: Inventory, project: Project) -> list[Service]:
    """The services that run all the time and have a limit, the highest first."""
    mine = (item for item in inventory.services_of(project.name).values() if item.memory_limit.isdigit())
    running = (item for item in mine if not item.profiles and not services.is_one_shot(item))
    return sorted(running, key=lambda item: -int(item.memory_limit))


def _sum(found: list[Service]) -> float:
    return sum(int(item.memory_limit) for item in found) / _GIB


def _evidence(project: Project, found: list[Service], told: Mention) -> Evidence:
    total, path = f"{_sum(found):.3g} GiB", told.location.file
    return Evidence(
        f"The memory limits of {len(found)} services of {project.location.file} are {total} together, and {path} asks "
        f"for a host with {told.text}: the limits don't keep it from running out of memory.",
        told.location,
        subject=f"{project.name}/memory",
        related=tuple(Related(item.location, f"{item.name} may take {_sum([item]):.3g} GiB") for item in found[:6]),
        recommendation=f"Lower the limits in {project.location.file}, or name a host with more than {total} in {path}.",
        example=files.into(path, f"RAM: {math.ceil(_sum(found)) + 1} GB"),
    )
