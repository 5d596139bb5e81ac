"""Two services publish the same port of the host.

A port of the host has one owner. The service that starts second fails with "port is already allocated"; which one it
is changes from start to start.

Anti-pattern:

    web:
      ports: ["8080:80"]
    admin:
      ports: ["8080:8080"]

Better:

    web:
      ports: ["8080:80"]
    admin:
      ports: ["8081:8080"]

Recommendation:

    Give one of the two services another host port, or put both behind one reverse proxy.

References:

- https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib.conventions import compose_calls, deployment, side_by_side, stacks
from auditlib.conventions.side_by_side import Pair
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Project, Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::", "[::]"})  # noqa: S104 - we look for it in files
_WIDEST_RANGE = 1_000


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Services that may run together and want the same port, in one project or two; copies of one service."""
    yield from _copies(inventory)
    for pair in side_by_side.pairs(inventory):
        yield from _between(inventory, pair)
    for project in inventory.projects:
        owners: dict[tuple[str, int], list[tuple[Service, Port]]] = {}
        for service in inventory.services_of(project.name).values():
            for port in service.ports:
                for number in _numbers(port.host_port):
                    known = owners.setdefault((port.protocol, number), [])
                    rival = next((item for item in known if _collide(item, (service, port))), None)
                    if rival:
                        yield _evidence(number, _free(inventory, project, number), rival, (service, port))
                    known.append((service, port))


def _between(inventory: Inventory, pair: Pair) -> Iterator[Evidence]:
    """Services of two projects that run on one host and want the same port of it."""
    one, other = (
        [(service, port) for service in inventory.services_of(project.name).values() for port in service.ports]
        for project in (pair.one, pair.other)
    )
    for first, second in itertools.product(one, other):
        shared = sorted(set(_numbers(first[1].host_port)) & set(_numbers(second[1].host_port)))
        if shared and first[1].protocol == second[1].protocol and _collide(first, second):
            yield _of_pair(inventory, pair, shared[0], first, second)


def _of_pair(
    inventory: Inventory, pair: Pair, number: int, first: tuple[Service, Port], second: tuple[Service, Port]
) -> Evidence:
    files = (pair.one.location.file, pair.other.location.file)
    free = max(_free(inventory, project, number) for project in (pair.one, pair.other))
    why = "are started together" if pair.called else "meet in a network of the host"
    why = "run together as far as their names say" if pair.watches else why
    place = "starts both" if pair.called else "the network that both join"
    return Evidence(
        f"{first[0].name} of {files[0]} and {second[0].name} of {files[1]}, which {why}, both publish port {number} of "
        "the host; whichever starts second fails.",
        second[1].location,
        subject=f"{first[0].name}/{second[0].name}/{number}",
        service=second[0].name,
        related=(
            Related(first[1].location, f"{first[0].name} publishes {number}"),
            Related(pair.location, "watches the services of the other one" if pair.watches else place),
        ),
        recommendation=f"Give {second[0].name} another host port than {number}.",
        change=(f"{number}:{second[1].target}", f"{free}:{second[1].target}"),
        example=compose_lines.of_service(second[0], f'ports:\n  - "{free}:{second[1].target}"'),
        confidence=None if pair.called else Confidence.MEDIUM,
    )


def _copies(inventory: Inventory) -> Iterator[Evidence]:
    """Services that are to run several times with one port; a cluster has a load balancer for that."""
    told: set[tuple[Location, str]] = set()
    scaled = compose_calls.scaled(inventory)
    for service in inventory.services if not deployment.leaves_compose(inventory) else ():
        single = [port for port in service.ports if len(_numbers(port.host_port)) == 1]
        ports = [port for port in single if (port.location, port.host_port) not in told]
        copies = max(service.replicas or 0, scaled.get(service.name, (0,))[0])
        in_swarm = service.placed or stacks.in_swarm(inventory, service)
        if copies > 1 and ports and not in_swarm:
            told.update((port.location, port.host_port) for port in ports)  # an overlay has those of its base again
            called = service.name in scaled or any(call.verb == "up" for call, _ in compose_calls.everywhere(inventory))
            yield _of_copies(service, copies, *ports, sure=called)


def _of_copies(service: Service, copies: int, first: Port, *others: Port, sure: bool) -> Evidence:
    numbers = listed(port.host_port for port in (first, *others))
    return Evidence(
        f"{service.name} is to run in {copies} copies, which all publish {'ports' if others else 'port'} "
        f"{numbers} of the host; only the first one starts{'' if sure else ', unless it is Swarm that runs them'}.",
        first.location,
        subject=f"{service.name}/copies",
        service=service.name,
        related=tuple(Related(port.location, f"{port.host_port} has one owner too", member=True) for port in others),
        recommendation=f"Put a proxy before {service.name}, or publish a range of ports.",
        confidence=None if sure else Confidence.MEDIUM,
        change=(f"{first.host_port}:{first.target}", f"{_range(first, copies)}:{first.target}"),
    )


def _range(port: Port, copies: int) -> str:
    first = int(port.host_port.partition("-")[0])
    return f"{first}-{first + copies - 1}"


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    if not first.isdigit() or (last and not last.isdigit()):
        return range(0)
    return range(int(first), min(int(last or first), int(first) + _WIDEST_RANGE) + 1)


def _collide(one: tuple[Service, Port], other: tuple[Service, Port]) -> bool:
    addresses = {one[1].host_ip, other[1].host_ip}
    same_address = len(addresses) == 1 or bool(addresses & _EVERY_ADDRESS)
    profiles, others = set(one[0].profiles), set(other[0].profiles)
    together = not profiles or not others or bool(profiles & others)
    apart = one[0].name != other[0].name or one[1].target != other[1].target
    return apart and same_address and together


def _free(inventory: Inventory, project: Project, number: int) -> int:
    """The next port that no service of the project publishes."""
    ports = [port for service in inventory.services_of(project.name).values() for port in service.ports]
    taken = {used for port in ports for used in _numbers(port.host_port)}
    return next(other for other in itertools.count(number + 1) if other not in taken)


def _evidence(number: int, free: int, first: tuple[Service, Port], second: tuple[Service, Port]) -> Evidence:
    if first[0].name == second[0].name:
        return _of_one(number, first, second)
    return Evidence(
        f"{first[0].name} and {second[0].name} both publish port {number} of the host; whichever starts second fails.",
        second[1].location,
        subject=f"{first[0].name}/{second[0].name}/{number}",
        service=second[0].name,
        related=(Related(first[1].location, f"{first[0].name} publishes {number}"),),
        recommendation=f"Give {second[0].name} another host port than {number}.",
        change=(f"{number}:{second[1].target}", f"{free}:{second[1].target}"),
        example=compose_lines.of_service(second[0], f'ports:\n  - "{free}:{second[1].target}"'),
    )


def _of_one(number: int, first: tuple[Service, Port], second: tuple[Service, Port]) -> Evidence:
    """Two ports of one container that want the same one of the host, as merged files have all ports of both."""
    name, ports = second[0].name, f"{first[1].target} and {second[1].target}"
    return Evidence(
        f"{name} publishes both {ports} at port {number} of the host: Docker refuses to start it.",
        second[1].location,
        subject=f"{name}/{name}/{number}",
        service=name,
        related=(Related(first[1].location, f"{first[1].target} is published at {number}, too"),),
        recommendation=f"Publish one of {ports} of {name} at another port than {number}; `!override` replaces a list.",
        example=compose_lines.of_service(second[0], f'ports: !override\n  - "{number}:{second[1].target}"'),
    )
