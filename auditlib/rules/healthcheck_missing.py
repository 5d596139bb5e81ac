"""A service that runs all the time has no health check.

Without a health check a container counts as fine as long as its process exists, also when it hangs, has lost its
database or answers every request with an error. Nothing can wait for it (`condition: service_healthy`), and nobody
sees in `docker compose ps` that it stopped working.

Anti-pattern:

    api:
      build: ./backend

Better:

    api:
      build: ./backend
      healthcheck:
        test: ["CMD", "curl", "-fsS", "http://127.0.0.1:8000/health"]
        interval: 15s
        timeout: 5s
        retries: 3

Recommendation:

    Add a `healthcheck` to each service named, or a `HEALTHCHECK` to its Dockerfile, that asks for what the service is
    for.

References:

- https://docs.docker.com/reference/compose-file/services/#healthcheck
- https://docs.docker.com/reference/dockerfile/#healthcheck
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, healthchecks, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _probe_lines as probe_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each project one finding for all of its services that no health check watches; none for exporters alone.

    Many small projects have one together.
    """
    for running in stacks.gathered(stacks.lasting(inventory)):
        lasting = [
            item for item in running if not _needs_none(inventory, item) or healthchecks.is_checked(inventory, item)
        ]
        missing = [item for item in lasting if not healthchecks.is_checked(inventory, item)]
        unknown = [item for item in missing if healthchecks.may_be_in_image(inventory, item)]
        certain = [item for item in missing if item not in unknown]
        likely = unknown
        if unknown and _all_images_check(inventory):
            likely = [item for item in unknown if item.build or "/" in item.image]
        if _are_for_developers(lasting, missing):
            continue
        if not all(_is_exporter(inventory, item) for item in certain):
            yield _evidence(inventory, stacks.beside(lasting, certain), certain, unknown, certain=True)
        elif not all(_is_exporter(inventory, item) for item in likely):
            rest = [item for item in unknown if item not in likely]
            yield _evidence(inventory, stacks.beside(lasting, likely), likely, rest, certain=False)


def _needs_none(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a mail catcher, stands in for others in tests, or is a loop that nobody can ask."""
    found = services.product(inventory, service)
    stands_in = (found is not None and found.kind in ("mail", "test")) or environments.only_for_tests(service)
    return stands_in or services.repeats(service)


def _are_for_developers(lasting: list[Service], missing: list[Service]) -> bool:
    """Whether all are for development, and nothing waits for them: who works with them sees when one hangs."""
    needed = {need.service for item in lasting for need in item.dependencies}
    return all(environments.only_for_development(item) and item.name not in needed for item in missing)


def _untold(unknown: list[Service]) -> str:
    """What a count of services without a check leaves open."""
    if not unknown:
        return ""
    names = listed(stacks.names(unknown))
    return f" Of {len(unknown)} more ({names}), on images that aren't known, nobody can tell."


def _all_images_check(inventory: Inventory) -> bool:
    """Whether each Dockerfile has a health check: an image of no registry is likely one of those."""
    mine = [item for item in inventory.dockerfiles if not environments.is_for_development(item.path)]
    return bool(mine) and all(any(step.keyword == "HEALTHCHECK" for step in item.instructions) for item in mine)


def _is_exporter(inventory: Inventory, service: Service) -> bool:
    """Whether Prometheus asks a service anyway, so that its want of a check is no news of its own."""
    found = services.product(inventory, service)
    return found is not None and found.kind == "exporter"


def _evidence(
    inventory: Inventory, lasting: list[Service], missing: list[Service], unknown: list[Service], *, certain: bool
) -> Evidence:
    needed = {item.service for service in lasting for item in service.dependencies}
    first, *others = sorted(missing, key=lambda item: item.name not in needed)
    doubt = "" if certain else ", unless the images bring their own"
    weak = all(environments.only_for_development(item) or services.is_watching(inventory, item) for item in missing)
    return Evidence(
        f"{len(missing)} of {counted(len(lasting), 'long-running service')} "
        f"{'has' if len(missing) == 1 else 'have'} no health check{stacks.place(missing)}{doubt}: "
        f"{listed(stacks.names((first, *others)))}.{_untold(unknown)}{stacks.left_out(inventory, lasting)}",
        first.location,
        subject=f"{stacks.owner(lasting)}/healthcheck{'' if certain else ' unless in the image'}",
        service=first.name,
        related=(
            *(Related(item.location, _note(item, needed), member=True) for item in others),
            *(Related(item.location, f"the image of {item.name} may bring a check") for item in unknown),
        ),
        recommendation=f"Start with {first.name}{', since others depend on it' if first.name in needed else ''}: add a "
        f"`healthcheck` that asks it for what it is for.",
        severity=Severity.LOW if weak else None,
        confidence=None if certain else Confidence.MEDIUM,
        change=("", probe_lines.certain(inventory, first)),
        example=probe_lines.draft(inventory, first),
    )


def _note(service: Service, needed: set[str]) -> str:
    off = service.healthcheck is not None
    state = f"{service.name}'s health check is switched off" if off else f"{service.name} has no health check here"
    return f"{state}{', and other services depend on it' if service.name in needed else ''}"
