"""A server is killed while it still finishes its requests.

A program that shuts down in order lets the requests at hand end, for as long as its code or its options say. Docker
waits ten seconds, or `stop_grace_period`, and then kills it: the rest of the time is never given, and what takes longer
is cut off at each deployment, as are the traces and logs that are flushed last.

Anti-pattern:

    # main.go
    ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
    server.Shutdown(ctx)
    # compose.yaml
    api: {build: .}

Better:

    api:
      build: .
      stop_grace_period: 40s

Recommendation:

    Set `stop_grace_period` above the time that the program takes to end.

References:

- https://docs.docker.com/reference/compose-file/services/#stop_grace_period
- https://pkg.go.dev/net/http#Server.Shutdown
- https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.compose.errors import RefusedError
from auditlib.compose.units import parse_duration
from auditlib.conventions import environments, server_traits, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.answers import answered_once
from auditlib.inventory.configuration import ServerTrait
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_DEFAULT = 10
_SPARE = 5
_NANOSECONDS = 10**9


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every service whose program waits for its requests as long as Docker waits for it, or longer."""
    for service in inventory.distinct_services:
        if environments.only_for_development(service) or not _serves(inventory, service):
            continue
        grace = max(_grace(item) for item in inventory.versions(service))
        longest = max(server_traits.waits(inventory, service), key=lambda item: item.amount, default=None)
        if longest and (longest.amount > grace or (longest.amount == grace and _goes_on(longest))):
            yield _evidence(service, longest, grace)


def _goes_on(wait: ServerTrait) -> bool:
    """Whether a program has more to do once it has waited: one that ends itself then hasn't."""
    return wait.location.file.endswith((".go", ".yml", ".yaml", ".properties"))


def _serves(inventory: Inventory, service: Service) -> bool:
    """Whether a service is the one of its image that answers requests, as far as its words can tell: not a task that
    ends, nor one of several modes of a program of which others have the ports.
    """
    modes = _modes(inventory).get(services.image_key(service), [])
    others = [item for item in modes if item.command != service.command]
    beside = bool(service.command) and any(_has_port(item) for item in others) and not _has_port(service)
    return not beside and not services.is_one_shot(service)


@answered_once
def _modes(inventory: Inventory) -> dict[tuple[str, ...], list[Service]]:
    """The services with a command of their own, by their image."""
    found: defaultdict[tuple[str, ...], list[Service]] = defaultdict(list)
    for item in inventory.distinct_services:
        if item.command:
            found[services.image_key(item)].append(item)
    return found


def _has_port(service: Service) -> bool:
    return bool(service.ports or service.expose)


def _grace(service: Service) -> float:
    """For how many seconds Docker waits; without an end where that can't be read."""
    if not service.stop_grace_period:
        return _DEFAULT
    try:
        return parse_duration(service.stop_grace_period) / _NANOSECONDS
    except RefusedError:
        return float("inf")


def _evidence(service: Service, longest: ServerTrait, grace: float) -> Evidence:
    given = "`stop_grace_period` is" if service.stop_grace_period else "there is no `stop_grace_period`, so Docker's"
    waits = f"{grace:g} s" if service.stop_grace_period else f"{_DEFAULT} s hold"
    end = "it is killed before" if longest.amount > grace else "what it does after them is cut off"
    wanted = f"{longest.amount + _SPARE}s"
    return Evidence(
        f"{service.name} takes up to {longest.amount} s to end its requests, and {given} {waits}: {end}.",
        longest.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(service.location, f"{service.name} is given {grace:g} s"),),
        recommendation=f"Set `stop_grace_period: {wanted}` for {service.name}, or let the program wait less.",
        example=compose_lines.of_service(service, f"stop_grace_period: {wanted}"),
    )
