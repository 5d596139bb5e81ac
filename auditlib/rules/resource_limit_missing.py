"""Long-running services have no memory limit.

A container without a limit may take all memory of its host. When it leaks, or gets one request too large, the kernel
kills whatever it finds, often the database next to it, and one service's fault becomes everybody's outage.

Anti-pattern:

    api:
      build: ./backend

Better:

    api:
      build: ./backend
      deploy:
        resources:
          limits: { cpus: "1", memory: 512m }

Recommendation:

    Measure what each service needs and set `deploy.resources.limits.memory`, the services that share a host with a
    database first.

References:

- https://docs.docker.com/reference/compose-file/deploy/#resources
- https://docs.docker.com/engine/containers/resource_constraints/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_LIMIT = "deploy:\n  resources:\n    limits:\n      memory: <measured, and half as much again>  # such as 512M"
_LIMIT_OF_OLD = "mem_limit: <measured, and half as much again>  # such as 512m"


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all services without a limit, here or in overlays; none of development.

    Many small projects have one together.
    """
    for mine in stacks.gathered(stacks.lasting(inventory)):
        deployed = [item for item in mine if not environments.is_for_developers(inventory, item)]
        missing = [item for item in deployed if not stacks.somewhere(inventory, item, _is_limited)]
        if missing:
            yield _evidence(inventory, stacks.beside(deployed, missing), missing)


def _is_limited(service: Service) -> bool:
    return bool(service.memory_limit)


def _elsewhere(inventory: Inventory, mine: list[Service], missing: list[Service]) -> str:
    """A sentence on the overlays that alone limit the others: a start without them limits nothing."""
    others = [item for item in mine if item not in missing and not _is_limited(item)]
    found = [item for each in others for item in stacks.variants(inventory, each) if _is_limited(item)]
    files = dict.fromkeys(item.changed_at.file for item in found if item.changed_at)
    return f" The others have theirs in {listed(files)} alone: without that, none has one." if files else ""


def _leader(inventory: Inventory, missing: list[Service]) -> Service:
    """The service to begin with: one of the project's own programs, as it is those that endanger a database beside."""
    return next((item for item in missing if services.product(inventory, item) is None), missing[0])


def _key(mine: list[Service]) -> str:
    """The key that the file uses for its other services already."""
    return "mem_limit" if any(item.limited_by_old_key for item in mine) else "deploy.resources.limits.memory"


def _evidence(inventory: Inventory, mine: list[Service], missing: list[Service]) -> Evidence:
    first, *others = missing
    leader = _leader(inventory, missing)
    rarely_felt = len(mine) == 1 or stacks.owner(mine) != first.project or stacks.is_beside_programs(inventory, mine)
    rarely_felt = rarely_felt or all(services.serves_operators(inventory, item) for item in missing)
    return Evidence(
        f"{len(missing)} of {counted(len(mine), 'long-running service')} {'has' if len(missing) == 1 else 'have'} no "
        f"memory limit{stacks.place(missing)}: {listed(stacks.names(missing))}."
        f"{_elsewhere(inventory, mine, missing)}{stacks.left_out(inventory, mine)}",
        first.location,
        subject=f"{stacks.owner(mine)}/memory",
        service=first.name,
        related=tuple(Related(item.location, f"{item.name} has no memory limit", member=True) for item in others),
        severity=Severity.LOW if rarely_felt else None,
        recommendation=f"Measure what {leader.name} needs and set `{_key(mine)}` for it"
        f"{', then for the others.' if others else '.'}",
        example=compose_lines.of_service(leader, _LIMIT if _key(mine) != "mem_limit" else _LIMIT_OF_OLD),
    )
