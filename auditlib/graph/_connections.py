"""Connections that nobody declared: a host name in an environment value or a command is a dependency too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditlib.conventions import programs, shared_env_files
from auditlib.graph._builder import Builder
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Endpoint, Service
from auditlib.model import Location
from auditlib.patterns import regex

_WEB = frozenset({"", "http", "https", "ws", "wss"})
"""Schemes of addresses that a service may hold for others, such as a link in a mail; any other is a connection."""
_SENDS = regex(r"(?:OTEL|DD|NEW_RELIC|JAEGER|ZIPKIN|STATSD|SENTRY)_")
"""Names of variables that say where telemetry goes. Who can't deliver it goes on (https://opentelemetry.io/docs/specs/
otel/error-handling/)."""
_SENT = frozenset({"smtp", "smtps", "statsd", "syslog", "gelf"})
"""Schemes of addresses that are only sent to: mail and telemetry."""


_Named = tuple[str, Location, Endpoint]
"""The variable that names a host, where it does, and the host."""


def add(builder: Builder) -> None:
    """Add an inferred `depends_on` edge for each entry that names another service of the project.

    `declared` tells whether the service says `depends_on` itself, `variable` which entry it is (empty for a command),
    `shared` whether other services of the project take the address from the same place (a block of variables, an
    environment file, a module of settings that several programs hold): then nothing tells who of them asks there.
    Of the members of a cluster that one entry lists (`nats://a:4222,nats://b:4222`) each is `spare`, none required.
    """
    declared: dict[tuple[str, str], bool] = {}
    for edge in builder.graph.edges_of("depends_on"):
        pair = (edge.source, edge.target)
        declared[pair] = declared.get(pair, False) or edge.attributes["required"]
    found = list(_found(builder))
    users: defaultdict[tuple[str, Location], set[str]] = defaultdict(set)
    readers = _readers(builder.inventory)
    lists: defaultdict[tuple[str, str, Location], set[str]] = defaultdict(set)
    for service, node, other, (variable, location, _) in found:
        users[service.project, location].add(node)
        lists[node, variable, location].add(other)
    for service, node, other, (variable, location, end) in found:
        overlay = service.project if builder.base.get(service.project) else ""
        shared = len(users[service.project, location]) > 1 or len(readers.get(location, ())) > 1
        required = declared.get((node, other), end.scheme not in _WEB and not shared)
        spare = _is_one_of(builder, other, lists[node, variable, location])
        builder.edge(
            node, other, "depends_on", location,
            condition="", implicit=False, required=required and not spare and not _is_sent_to(variable, end),
            declared=(node, other) in declared, inferred=True, shared=shared, spare=spare, overlay=overlay,
            variable=variable, scheme=end.scheme, host=end.host, port=end.port,
        )  # fmt: skip


def _is_one_of(builder: Builder, node: str, listed: set[str]) -> bool:
    """Whether one entry lists a service among others that run the same image, so that another one answers for it."""
    image = _image(builder, node)
    return bool(image) and any(_image(builder, other) == image for other in listed if other != node)


def _image(builder: Builder, node: str) -> str:
    data = builder.graph.nodes[node]
    found = builder.inventory.services_of(data["project"]).get(data["name"]) if data["kind"] == "service" else None
    return found.image if found else ""


def _found(builder: Builder) -> Iterator[tuple[Service, str, str, _Named]]:
    """The services that name another one of their project, with both nodes."""
    expected = _expected(builder.inventory)
    for service in builder.inventory.services:
        node = builder.id("service", service.project, service.name)
        for named in _named(builder.inventory, service, expected.get(service.key, ())) if node else ():
            other = builder.graph.hosts.resolve(named[2].host, service.project, named[2].port)
            if node and other is not None and other != node:
                yield service, node, other, named


def _readers(inventory: Inventory) -> dict[Location, set[str]]:
    """By the place of a default in code the services that run that code, also those that are given another value."""
    found: defaultdict[Location, set[str]] = defaultdict(set)
    for _, setting, _ in programs.by_default(inventory):
        found[setting.location] = set()
    for program in programs.programs(inventory) if found else ():
        for setting in program.settings:
            if setting.location in found:
                found[setting.location].add(program.service.name)
    return found


def _is_sent_to(variable: str, end: Endpoint) -> bool:
    """Whether an address is one of telemetry or mail: without it something is lost, and nothing fails."""
    return _SENDS.match(variable) is not None or end.scheme in _SENT


def _expected(inventory: Inventory) -> dict[str, list[_Named]]:
    """By service the hosts that it will be given once somebody copied the template, or takes if nobody gives any."""
    found: defaultdict[str, list[_Named]] = defaultdict(list)
    for service, line in programs.by_template(inventory):
        found[service.key] += [(line.name, line.location, end) for end in line.endpoints]
    for service, setting, ends in programs.by_default(inventory):
        told = {name for name, _, _ in found[service.key]}
        found[service.key] += [(setting.name, setting.location, end) for end in ends if setting.name not in told]
    return found


def _named(inventory: Inventory, service: Service, expected: Iterable[_Named]) -> Iterator[_Named]:
    for entry in shared_env_files.taken(inventory, service):
        for end in entry.endpoints:
            yield entry.name, entry.location, end
    yield from expected
    for end in service.command_endpoints:
        yield "", service.command_location or service.location, end
