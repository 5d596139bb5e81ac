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
    """Every published port of a Kafka at which the only advertised address is a name of the project's network."""
    for service in inventory.distinct_services:
        entry = next((item for item in service.environment if _VARIABLE.match(item.name) and item.value), None)
        listeners = _listeners(entry) if entry else []
        port = _unreachable(service, listeners) if listeners else None
        if entry and port:
            yield _evidence(service, entry, port)


def _listeners(entry: EnvironmentEntry) -> list[_Advertised]:
    """The listeners of a value; none where one of them can't be read, as it may be the one for the host."""
    texts = [text.strip() for text in entry.value.text.split(",")] if entry.value else []
    found = [match for text in texts if (match := _LISTENER.match(text))]
    return [_Advertised(item["host"], item["port"]) for item in found] if len(found) == len(texts) else []


def _unreachable(service: Service, listeners: list[_Advertised]) -> Port | None:
    """A published port whose callers are sent to a name that only the project's own network knows."""
    aliases = {alias for attached in service.networks for alias in attached.aliases}
    inside = {service.name, service.container_name, service.hostname, *aliases} - {""}
    if any(item.host not in inside for item in listeners) or "." in "".join(inside):
        return None
    advertised = {item.port for item in listeners}
    return next((port for port in service.ports if port.target in advertised), None)


def _evidence(service: Service, entry: EnvironmentEntry, port: Port) -> Evidence:
    return Evidence(
        f"{service.name} publishes port {port.target}, and {entry.name} sends whoever asks there on to "
        f"{service.name}: outside of the project's network a client fails, unless its host knows that name.",
        entry.location,
        subject=f"{service.project}/{service.name}",
        service=service.name,
        related=(Related(port.location, f"port {port.target} is published"),),
        recommendation=f"Add a listener that is advertised as localhost:{_HOST_PORT} and publish its port, or remove "
        f"the port of {service.name}.",
        example=compose_lines.of_service(
            service,
            f'ports: ["127.0.0.1:{_HOST_PORT}:{_HOST_PORT}"]\nenvironment:\n'
            f"  {entry.name}: INSIDE://{service.name}:{port.target},HOST://localhost:{_HOST_PORT}"
            "   # and both in the listeners and their protocol map",
        ),
    )
