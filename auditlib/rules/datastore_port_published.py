"""The port of a database, cache or broker is published beyond the host.

Docker publishes a port on all addresses of the host, or on the one that is written, past the rules of ufw and
firewalld. A database that only other containers need is then open to the network that the host is in, often the
internet, behind one password.

Anti-pattern:

    db:
      image: postgres:16
      ports:
        - "5432:5432"

Better:

    db:
      image: postgres:16
      ports:
        - "127.0.0.1:5432:5432"  # or no ports at all: services reach db:5432

Recommendation:

    Remove `ports` from data stores; services of the same network need none. For access from the host itself publish on
    127.0.0.1.

References:

- https://docs.docker.com/reference/compose-file/services/#ports
- https://docs.docker.com/engine/network/packet-filtering-firewalls/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, networks, open_stores, published_ports, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_MEANT_TO_BE_PUBLIC = frozenset({"MinIO", "broker"})
"""Stores whose clients are often browsers or devices: object storage, MQTT."""

_NAMED = 12
_FOR_MONITORING = frozenset({"7777", "8222"})
"""Where NATS and its exporter tell how it is, and take nothing."""


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all data stores whose ports it publishes beyond the host."""
    for mine in stacks.by_project(inventory.services).values():
        found = [
            (item, port)
            for item in mine
            if _is_store(inventory, item)
            for port in published_ports.public_ports(item)
            if port.target not in _FOR_MONITORING or not open_stores.is_open_nats(inventory, item)
        ]
        for file in dict.fromkeys(port.location.file for _, port in found):
            yield _evidence(inventory, file, [(item, port) for item, port in found if port.location.file == file])


def _is_store(inventory: Inventory, service: Service) -> bool:
    """Whether a service is a store that its ports open to others; of internal networks Docker publishes none."""
    found = services.product(inventory, service)
    kept = found is not None and found.kind in services.DATASTORES and found.name not in _MEANT_TO_BE_PUBLIC
    kept = kept or open_stores.is_open_nats(inventory, service)
    return kept and not networks.closed_around(inventory, service)


def _evidence(inventory: Inventory, file: str, found: list[tuple[Service, Port]]) -> Evidence:
    (service, first), *others = found
    names = dict.fromkeys(f"{item.name} ({port.host_port or port.variable or 'a free port'})" for item, port in found)
    asking = (open_stores.asks_nobody, open_stores.is_plain_broker, open_stores.is_open_nats)
    opened = [item for item, _ in found if any(ask(inventory, item) for ask in asking)]
    vain = open_stores.refused(inventory, opened) if opened else []
    aside = environments.is_for_development(file) or stacks.for_development(item for item, _ in found)
    return Evidence(
        f"{listed(names)} {'is' if len(names) == 1 else 'are'} published on {_where(found)}, past "
        f"its firewall{_open_doors(opened)}.{open_stores.told(vain)}",
        first.location,
        subject=f"{file}/published",
        service=service.name,
        related=tuple(
            Related(
                port.location, f"{item.name} is published here", member=True, change=compose_lines.on_loopback(port)
            )
            for item, port in others
        )
        + tuple(Related(entry.location, f"{entry.name} of {item.name} is refused") for item, entry in vain),
        recommendation=_advice(found),
        severity=Severity.LOW if aside else _severity(found, opened),
        change=compose_lines.on_loopback(first),
        example=_example(service, first),
    )


def _where(found: list[tuple[Service, Port]]) -> str:
    """The addresses of the host that the ports are published on."""
    if not all(published_ports.is_bound(port) for _, port in found):
        return "all interfaces of the host"
    return f"{listed(dict.fromkeys(port.host_ip for _, port in found))} of the host"


def _severity(found: list[tuple[Service, Port]], opened: list[Service]) -> Severity | None:
    """What only a private network reaches is less, most of all with a password."""
    if not all(published_ports.is_on_private_address(port) for _, port in found):
        return None
    return Severity.MEDIUM if opened else Severity.LOW


def _example(service: Service, port: Port) -> str:
    if published_ports.is_bound(port):
        return compose_lines.filtered(port)
    return "" if port.written else compose_lines.of_service(service, f"ports: [{_form(port)}]")


def _form(port: Port) -> str:
    return compose_lines.local_form(port)


def _advice(found: list[tuple[Service, Port]]) -> str:
    names = list(dict.fromkeys(item.name for item, _ in found))
    forms = [f"`{_form(port)}`" for _, port in found]
    if all(published_ports.is_bound(port) for _, port in found):
        return f"Let only those who need {listed(names, limit=4)} reach {_where(found)}, or publish on 127.0.0.1 alone."
    what, instead = ("port", "it") if len(found) == 1 else ("ports", "them")
    return f"Remove the {what} of {listed(names, limit=_NAMED)}, or publish {instead} as {listed(forms, limit=_NAMED)}."


def _open_doors(opened: list[Service]) -> str:
    """What to add of those that ask nobody for a password."""
    names = list(dict.fromkeys(item.name for item in opened))
    return f", and {listed(names)} {'asks' if len(names) == 1 else 'ask'} nobody for a password" if names else ""
