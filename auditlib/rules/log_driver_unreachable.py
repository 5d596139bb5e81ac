"""A container's log goes to a name that Docker itself doesn't know.

The logging driver is a part of Docker's daemon, which runs on the host: it can't resolve the name of a service, and
reaches a collector's container at a published port only. Docker then refuses to start the container, or loses its
lines.

Anti-pattern:

    services:
      api:
        image: shop/api:1.4
        logging:
          driver: fluentd
          options: {fluentd-address: "fluent-bit:24224"}
      fluent-bit:
        image: fluent/fluent-bit:3.1

Better:

    services:
      api:
        image: shop/api:1.4
        logging:
          driver: fluentd
          options: {fluentd-address: "127.0.0.1:24224", fluentd-async: "true"}
      fluent-bit:
        image: fluent/fluent-bit:3.1
        ports: ["127.0.0.1:24224:24224"]

Recommendation:

    Publish the collector's port to the loopback address, and name that in the options of the driver.

References:

- https://docs.docker.com/engine/logging/configure/
- https://docs.docker.com/engine/logging/drivers/fluentd/
- https://grafana.com/docs/loki/latest/send-data/docker-driver/configuration/
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_OPTIONS = {
    "fluentd": ("fluentd-address", "24224"),
    "gelf": ("gelf-address", "12201"),
    "syslog": ("syslog-address", "514"),
    "splunk": ("splunk-url", "8088"),
    "loki": ("loki-url", "3100"),
}
"""By driver the option that says where the lines go, and the usual port."""
_ADDRESS = regex(r"(?:[a-z+]{2,10}://)?(?:[^@/]{0,200}@)?(?P<host>[\w.-]{1,200})(?::(?P<port>\d{1,5}))?(?P<rest>/.*)?")
_LOCAL = frozenset({"localhost", "127.0.0.1"})
_REFUSES = frozenset({"fluentd", "syslog", "gelf", "splunk"})
"""Drivers without whose collector Docker doesn't start a container, unless they are told to wait for it."""


class _Sent(Struct, frozen=True):
    """A service whose lines go to a collector that its driver doesn't reach, and why it doesn't."""

    service: Service
    collector: Service
    option: str
    written: str
    port: str
    by_name: bool


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each collector, the services whose drivers name it as only containers can, or a port that isn't published."""
    found: defaultdict[str, list[_Sent]] = defaultdict(list)
    for service in inventory.services:
        sent = _sent(inventory, service) if service.log_driver else None
        if sent:
            found[sent.collector.key].append(sent)
    for items in found.values():
        yield _evidence(items)


def _sent(inventory: Inventory, service: Service) -> _Sent | None:
    driver = "loki" if "loki" in service.log_driver else service.log_driver
    option, usual = _OPTIONS.get(driver, ("", ""))
    written = dict(service.log_options).get(option, "")
    match = _ADDRESS.fullmatch(written)
    if not match or "$" in written:
        return None
    beside = inventory.services_of(service.project)
    host, port = match["host"], match["port"] or usual
    if host in beside and host not in service.extra_hosts:
        return _Sent(service, beside[host], option, written, port, True)
    collector = _behind(beside, driver) if host in _LOCAL else None
    if collector is None or any(item.host_port in (port, "") for item in collector.ports) or collector.network_mode:
        return None
    return _Sent(service, collector, option, written, port, False)


def _behind(beside: dict[str, Service], driver: str) -> Service | None:
    """The only service of a project that may be the collector of a driver."""
    like = re.compile(r"fluent" if driver == "fluentd" else r"grafana/loki(?::|$)" if driver == "loki" else r"(?!)")
    found = [item for item in beside.values() if like.search(item.image)]
    return found[0] if len(found) == 1 else None


def _evidence(items: list[_Sent]) -> Evidence:
    first = items[0]
    names = dict.fromkeys(item.service.name for item in items)
    many = (
        f"{counted(len(names), 'service')} ({first.service.name} and others)" if len(names) > 1 else first.service.name
    )
    why = "the name of a service, which Docker's daemon can't resolve" if first.by_name else (
        f"the host, at which {first.collector.name} publishes no port {first.port}"
    )  # fmt: skip
    refused = first.service.log_driver in _REFUSES and "async" not in " ".join(map(" ".join, first.service.log_options))
    effect = "Docker doesn't start the container" if refused else "the lines are lost"
    quiet = all(environments.only_for_development(item.service) for item in items)
    return Evidence(
        f"{many}: the driver {first.service.log_driver} sends to {first.written}, {why}: {effect}.",
        first.service.location,
        subject=f"{first.collector.name}/{first.option}",
        service=first.service.name,
        related=(
            *(Related(item.service.location, f"{item.service.name} as well", member=True) for item in items[1:]),
            Related(first.collector.location, f"{first.collector.name} collects the lines"),
        ),
        recommendation=_advice(first),
        severity=Severity.LOW if quiet else None,
        example=_lines(first),
    )


def _published(item: _Sent) -> str:
    """The port of the host at which the collector is reached already."""
    return next((port.host_port for port in item.collector.ports if port.target == item.port), "")


def _advice(item: _Sent) -> str:
    if port := _published(item):
        return f"Name 127.0.0.1:{port} in `{item.option}`, at which {item.collector.name} is published."
    return f"Publish port {item.port} of {item.collector.name} to 127.0.0.1, and name that in `{item.option}`."


def _lines(item: _Sent) -> str:
    address = item.written.replace(item.collector.name, "127.0.0.1", 1) if item.by_name else item.written
    there = _published(item)
    if there:
        address = address.replace(f"127.0.0.1:{item.port}", f"127.0.0.1:{there}")
    option = f"logging:\n  driver: {item.service.log_driver}\n  options:\n    {item.option}: {address}"
    if there:
        return compose_lines.of_service(item.service, option)
    by_udp = "/udp" if item.written.startswith("udp:") else ""
    ports = f'ports: ["127.0.0.1:{item.port}:{item.port}{by_udp}"]'
    return f"{compose_lines.of_service(item.service, option)}\n{compose_lines.of_service(item.collector, ports)}"
