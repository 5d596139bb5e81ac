"""Long-running services are not started again after a crash or a reboot.

Compose starts a container once. Without `restart`, a process that crashes stays down, and after a reboot of the host
the service is simply not there. A stack in which only some services have a policy comes back half.

Anti-pattern:

    worker:
      build: ./backend
      command: celery -A app worker

Better:

    worker:
      build: ./backend
      command: celery -A app worker
      restart: unless-stopped

Recommendation:

    Set `restart: unless-stopped` on every service that is meant to run all the time.

References:

- https://docs.docker.com/reference/compose-file/services/#restart
- https://docs.docker.com/engine/containers/start-containers-automatically/
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


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for what nothing starts again, here or in overlays; none of development.

    Many small projects have one together.
    """
    swarm = stacks.swarm_files(inventory)
    for mine in stacks.gathered(stacks.lasting(inventory)):
        deployed = [item for item in mine if not environments.is_for_developers(inventory, item)]
        missing = [
            item
            for item in deployed
            if item.location.file not in swarm and not stacks.somewhere(inventory, item, _is_restarted)
        ]
        if missing:
            yield _evidence(inventory, stacks.beside(deployed, missing), missing)


def _is_restarted(service: Service) -> bool:
    """Whether something starts a service again, or it is called by its profile and told to stay down."""
    meant = bool(service.profiles) and service.restart == "no"
    return meant or (service.restart or service.restart_condition) not in ("", "no", "none")


def _evidence(inventory: Inventory, mine: list[Service], missing: list[Service]) -> Evidence:
    first, *others = missing
    one = len(missing) == 1
    rarely_felt = stacks.is_beside_programs(inventory, mine)
    rarely_felt = rarely_felt or all(services.serves_operators(inventory, item) for item in missing)
    return Evidence(
        f"{len(missing)} of {counted(len(mine), 'long-running service')} {'has' if one else 'have'} no restart policy"
        f"{stacks.place(missing)}: "
        f"{listed(stacks.names(missing))} {'stays' if one else 'stay'} down after a crash or a reboot."
        f"{stacks.left_out(inventory, mine)}",
        first.location,
        subject=f"{stacks.owner(mine)}/restart",
        service=first.name,
        related=tuple(
            Related(item.location, f"{item.name} has no restart policy", member=True, change=_change(item))
            for item in others
        ),
        severity=Severity.LOW if rarely_felt else None,
        recommendation=f"Set `restart: unless-stopped` for {listed(stacks.names(missing))}.",
        change=_change(first),
        example=compose_lines.of_service(first, "restart: unless-stopped"),
    )


def _change(service: Service) -> tuple[str, str]:
    return "", "" if service.restart or service.restart_condition else "restart: unless-stopped"
