"""Whose logs are kept beyond their host: sent away by Docker's driver, or taken by a shipper that reads them.

A shipper reads what Docker keeps of every container, or files in a folder that it shares with the services that write
them. What it takes in by the network comes from those who send, which their own driver or library tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditlib.conventions import kept_data, monitoring, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.logs import LogShipper
from auditlib.inventory.stack import Mount, Service
from auditlib.patterns import regex

_LOCAL = frozenset({"", "json-file", "local", "none"})
_OF_DOCKER = frozenset({"docker_sd_configs", "docker_logs", "docker", "container", "autodiscover"})
"""Sources by which Promtail, Vector and Filebeat read what Docker keeps, whatever driver keeps it on the host."""
_FOLDER = regex(r"(?:^|/)logs?(?:/|$)")
_FILES_OF_DOCKER = "/var/lib/docker/containers"
_BY_LIBRARY = ("OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS", "LOKI_", "FLUENT_", "LOGSTASH_", "GELF_", "SYSLOG_")
"""How variables begin by which a program is told where to send its logs itself."""


def kept(inventory: Inventory) -> frozenset[str]:
    """The keys of the services whose logs are collected, by what is configured."""
    return frozenset(service.key for service in inventory.distinct_services if sends(service)) | _taken(inventory)


def sends(service: Service) -> bool:
    """Whether a service's logs leave the host without a shipper: by Docker's driver, or by a library of the program."""
    by_library = any(entry.name.startswith(_BY_LIBRARY) for entry in service.environment)
    return service.log_driver not in _LOCAL or by_library


def volumes(service: Service) -> list[Mount]:
    """The mounts that hold a folder of log files, so that these outlive the container, collected or not."""
    return [mount for mount in kept_data.lasting(service) if _FOLDER.search(mount.target)]


def is_run(inventory: Inventory) -> bool:
    """Whether a service of the repository runs a shipper, so that its configuration is more than a plan."""
    products = (services.product(inventory, service) for service in inventory.services)
    return any(monitoring.runners(inventory, item.file) for item in inventory.log_shippers) or any(
        product is not None and product.kind == "logs" for product in products
    )


def _taken(inventory: Inventory) -> frozenset[str]:
    """What shippers take; one that doesn't say what it reads, and is no mere store, may take all."""
    shippers = inventory.log_shippers
    if any(map(_may_take_all, shippers)):
        return frozenset(service.key for service in inventory.distinct_services)
    return frozenset(key for shipper in shippers for key in _of(inventory, shipper))


def _may_take_all(shipper: LogShipper) -> bool:
    """Whether it is a shipper that doesn't say what it reads; Logstash says what it listens to, not who sends."""
    if shipper.kind == "logstash":
        return not any(source.path.startswith("/") for source in shipper.sources)
    return not shipper.sources and shipper.kind != "loki"


def _of(inventory: Inventory, shipper: LogShipper) -> Iterator[str]:
    for source in shipper.sources:
        if source.path in _OF_DOCKER:
            yield from (item.key for item in inventory.distinct_services if item.log_driver != "none")
        elif source.path.startswith(_FILES_OF_DOCKER):
            yield from (item.key for item in inventory.distinct_services if item.log_driver in ("", "json-file"))
        elif source.path.startswith("/"):
            yield from _writers(inventory, monitoring.runners(inventory, shipper.file), source.path)


def _writers(inventory: Inventory, readers: Iterable[Service], path: str) -> Iterator[str]:
    """The services that write into what the shipper has mounted where it reads."""
    shared = {_place(mount) for item in readers for mount in item.mounts if mounts.is_below(path, mount.target)}
    names = {item.name for item in readers}
    for service in inventory.distinct_services:
        written = {_place(mount) for mount in service.mounts if not mount.read_only}
        if service.name not in names and shared & written:
            yield service.key


def _place(mount: Mount) -> tuple[str, str]:
    return mount.kind, mount.source
