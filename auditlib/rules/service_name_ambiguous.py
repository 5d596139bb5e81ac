"""Two projects meet in a network, and both have a service of the name that a third one asks for.

Compose makes every service's name known in each network that it joins. Where another project brings a service of the
same name into one of those networks, Docker's answer for that name is either of the two: a part of production's
requests, or all after a restart, goes to the stack for trials, and the other way round.

Anti-pattern:

    # compose.yaml
    proxy: {image: "nginx:1.29", networks: [default, edge]}   # proxy_pass http://app:8000
    app: {build: ., networks: [default]}
    # compose.staging.yaml
    app: {build: ., networks: [default, edge]}                # is `app` in the network edge, too

Better:

    # compose.yaml
    app:
      networks:
        default: {aliases: [shop-production]}                 # proxy_pass http://shop-production:8000

Recommendation:

    Give each service that is asked across projects a name that only one project has.

References:

- https://docs.docker.com/compose/how-tos/networking/
- https://docs.docker.com/reference/compose-file/services/#aliases
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments, proxies
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Network, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule


class _Met(Struct, frozen=True):
    """A service of another project that is known by a name in a network that both projects join."""

    service: Service
    network: Network
    location: Location


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every name by which a service asks one of its own project, and that another project has in a network of both."""
    shared = _shared(inventory)
    told: set[tuple[str, str]] = set()
    for asker, name, place in (*_routed(inventory), *_connected(inventory, graph)) if shared else ():
        meant = inventory.services_of(asker.project).get(name)
        other = next(_others(inventory, asker, name, shared), None) if meant else None
        if meant and other and (asker.key, name) not in told:
            told.add((asker.key, name))
            yield _evidence(asker, meant, other, place)


def _shared(inventory: Inventory) -> dict[str, list[Network]]:
    """By what Docker calls it each network that one project makes and another one joins."""
    found: defaultdict[str, list[Network]] = defaultdict(list)
    for item in inventory.networks:
        if item.called:
            found[item.called].append(item)
    return {
        called: mine
        for called, mine in found.items()
        if any(item.external for item in mine) and not all(item.external for item in mine)
    }


def _routed(inventory: Inventory) -> Iterator[tuple[Service, str, Location]]:
    """The names to which a proxy passes requests."""
    for config in inventory.reverse_proxies:
        named = [(item.host, item.location) for item in config.upstreams if item.host]
        for proxy in proxies.runners(inventory, config) if named else ():
            yield from ((proxy, name, place) for name, place in named)


def _connected(inventory: Inventory, graph: DependencyGraph) -> Iterator[tuple[Service, str, Location]]:
    """The names that a service is given in its variables and commands."""
    known = {graph.service(item.project, item.name): item for item in inventory.distinct_services}
    for edge in graph.edges_of("depends_on"):
        asker = known.get(edge.source)
        if asker and edge.attributes["inferred"]:
            yield asker, edge.attributes["host"], edge.location


def _others(inventory: Inventory, asker: Service, name: str, shared: dict[str, list[Network]]) -> Iterator[_Met]:
    """The services of other projects that answer to a name in a network of the one that asks.

    One of the two makes the network for the other, so that both run; who only joins it may take the other's place.
    """
    family = inventory.family(inventory.base_of(asker.project))
    joined = {item.network for item in asker.networks}
    for networks in shared.values():
        own = {item.external for item in networks if item.project in family and item.name in joined}
        for network in networks if len(own) == 1 else ():
            if network.project in family or network.external in own:
                continue
            for service in inventory.services_of(network.project).values():
                for item in service.networks:
                    answers = name in (service.name, *item.aliases)
                    if item.network == network.name and answers and not environments.only_for_development(service):
                        yield _Met(service, network, item.location)


def _evidence(asker: Service, meant: Service, other: _Met, place: Location) -> Evidence:
    own = next(iter(meant.networks), None)
    called = f"<a name that only this project has>-{meant.name}"
    file = other.service.location.file
    return Evidence(
        f"{asker.name} asks for {meant.name}, and in the network {other.network.called} {other.service.name} of {file} "
        f"answers to that name, too: while both stacks run, requests for one may go to the other.",
        place,
        subject=f"{asker.project}/{asker.name}/{meant.name}",
        service=asker.name,
        related=(
            Related(other.location, f"{other.service.name} joins {other.network.called}"),
            Related(meant.location, "is the one that is meant"),
        ),
        recommendation=f"Ask for {meant.name} in {place.file} by an alias or a `container_name` that {file} "
        "doesn't have.",
        example=compose_lines.of_service(
            meant, f"networks:\n  {own.network if own else 'default'}:\n    aliases: [{called}]"
        ),
    )
