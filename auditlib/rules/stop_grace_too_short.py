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
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_DEFAULT = 10
_SPARE = 5
_NANOSECONDS = 10**9
_Use = tuple[Service, ServerTrait]


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The services of a file whose programs wait for their requests as long as Docker waits for them, or longer: one
    finding for all with the same spans.
    """
    found: defaultdict[tuple[str, int, float], list[_Use]] = defaultdict(list)
    for service in inventory.distinct_services:
        if environments.only_for_development(service) or not _serves(inventory, service):
            continue
        grace = max(_grace(item) for item in inventory.versions(service))
        longest = max(server_traits.waits(inventory, service), key=lambda item: item.amount, default=None)
        if longest and (longest.amount > grace or (longest.amount == grace and _goes_on(longest))):
            found[service.location.file, longest.amount, grace].append((service, longest))
    for (_, _, grace), uses in found.items():
        yield _evidence(uses, grace)


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


def _evidence(uses: list[_Use], grace: float) -> Evidence:
    (service, longest), *others = uses
    names = listed((item.name for item, _ in uses), limit=4)
    given = "`stop_grace_period` is" if service.stop_grace_period else "there is no `stop_grace_period`, so Docker's"
    waits = f"{grace:g} s" if service.stop_grace_period else f"{_DEFAULT} s hold"
    its = "their" if others else "its"
    killed = "they are killed before" if others else "it is killed before"
    cut = f"what {'they do' if others else 'it does'} after them is cut off"
    wanted = f"{longest.amount + _SPARE}s"
    meant = listed((item.name for item, _ in uses), limit=2)
    return Evidence(
        f"{names} {'take' if others else 'takes'} up to {longest.amount} s to end {its} requests, and {given} {waits}: "
        f"{killed if longest.amount > grace else cut}.",
        longest.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(
            Related(service.location, f"{service.name} is given {grace:g} s"),
            *(Related(trait.location, f"{item.name} takes as long", member=True) for item, trait in others),
        ),
        recommendation=f"Set `stop_grace_period: {wanted}` for {meant}, or let "
        f"{'the programs' if others else 'the program'} wait less.",
        example=compose_lines.of_service(service, f"stop_grace_period: {wanted}"),
    )
