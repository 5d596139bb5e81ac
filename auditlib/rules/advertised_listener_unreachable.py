"""Kafka sends its clients to a name that they don't know.

A client asks the published port whom to talk to, and Kafka answers with its advertised listeners. If these name the
service of Compose alone, every client outside of the project's network connects once and then fails to resolve the
name: the published port serves nobody.

Anti-pattern:

    kafka:
      ports: ["9092:9092"]
      environment:
        KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092

Better:

    kafka:
      ports: ["127.0.0.1:29092:29092"]
      environment:
        KAFKA_LISTENERS: INSIDE://:9092,HOST://:29092
        KAFKA_ADVERTISED_LISTENERS: INSIDE://kafka:9092,HOST://localhost:29092

Recommendation:

    Give callers outside a listener of their own whose advertised address they can resolve, or publish no port.

References:

- https://kafka.apache.org/documentation/#brokerconfigs_advertised.listeners
- https://docs.docker.com/guides/kafka/
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import EnvironmentEntry, Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_VARIABLE = regex(r"^KAFKA_(?:CFG_)?ADVERTISED_LISTENERS$")
_LISTENER = regex(r"^(?P<name>[\w-]+)://(?P<host>[\w.-]+):(?P<port>\d+)$")
_HOST_PORT = "29092"


class _Advertised(Struct, frozen=True):
    """A listener as clients are told of it."""

    host: str
    port: str


@rule(area=Area.ORCHESTRATION, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Kafka with a published port of a listener that is advertised under a name of the project's network."""
    for service in inventory.distinct_services:
        entry = next((item for item in service.environment if _VARIABLE.match(item.name) and item.value), None)
        listeners = _listeners(entry) if entry else []
        port = _unreachable(service, listeners) if listeners else None
        if entry and port:
            yield _evidence(service, entry, port, _outer(service, listeners))


def _listeners(entry: EnvironmentEntry) -> list[_Advertised]:
    """The listeners of a value; none where one of them can't be read, as it may be the one for the host."""
    texts = [text.strip() for text in entry.value.text.split(",")] if entry.value else []
    found = [match for text in texts if (match := _LISTENER.match(text))]
    return [_Advertised(item["host"], item["port"]) for item in found] if len(found) == len(texts) else []


def _inner(service: Service) -> set[str]:
    """The names of a service that only the project's own network knows; none where one of them has a domain."""
    aliases = {alias for attached in service.networks for alias in attached.aliases}
    inside = {service.name, service.container_name, service.hostname, *aliases} - {""}
    return set() if "." in "".join(inside) else inside


def _unreachable(service: Service, listeners: list[_Advertised]) -> Port | None:
    """A published port whose callers are sent to a name that only the project's own network knows."""
    inside = _inner(service)
    advertised = {item.port for item in listeners if item.host in inside}
    open_to_others = {item.port for item in listeners if item.host not in inside}
    return next((port for port in service.ports if port.target in advertised - open_to_others), None)


def _outer(service: Service, listeners: list[_Advertised]) -> _Advertised | None:
    """The listener that callers outside can use, if there is one."""
    inside = _inner(service)
    return next((item for item in listeners if item.host not in inside), None)


def _evidence(service: Service, entry: EnvironmentEntry, port: Port, outer: _Advertised | None) -> Evidence:
    told = f", and has {outer.host}:{outer.port}" if outer else ", unless its host knows that name"
    return Evidence(
        f"{service.name} publishes port {port.target}, and {entry.name} sends whoever asks there on to "
        f"{service.name}: outside of the project's network a client fails{told}.",
        entry.location,
        subject=f"{service.project}/{service.name}{f'/{port.target}' if outer else ''}",
        service=service.name,
        related=(Related(port.location, f"port {port.target} is published"),),
        recommendation=f"Take port {port.target} out of the ports of {service.name}."
        if outer
        else f"Add a listener that is advertised as localhost:{_HOST_PORT} and publish its port, or remove "
        f"the port of {service.name}.",
        example=compose_lines.of_service(
            service,
            f"ports: # without {port.target}, which other services reach anyway"
            if outer
            else _two_listeners(service, entry.name, port),
        ),
    )


def _two_listeners(service: Service, name: str, port: Port) -> str:
    """The settings that belong together: a broker whose own listener isn't named doesn't start."""
    start = name.removesuffix("ADVERTISED_LISTENERS")
    kraft = any(item.name.endswith("CONTROLLER_LISTENER_NAMES") for item in service.environment)
    own, plain = (",CONTROLLER://:9093", ",CONTROLLER:PLAINTEXT") if kraft else ("", "")
    return (
        f'ports: ["127.0.0.1:{_HOST_PORT}:{_HOST_PORT}"]\nenvironment:\n'
        f"  {start}LISTENERS: INSIDE://:{port.target},HOST://:{_HOST_PORT}{own}\n"
        f"  {name}: INSIDE://{service.name}:{port.target},HOST://localhost:{_HOST_PORT}\n"
        f"  {start}LISTENER_SECURITY_PROTOCOL_MAP: INSIDE:PLAINTEXT,HOST:PLAINTEXT{plain}\n"
        f"  {start}INTER_BROKER_LISTENER_NAME: INSIDE"
    )
