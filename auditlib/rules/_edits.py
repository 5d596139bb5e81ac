"""Lines that several rules advise to write, in the names of the repository."""

from __future__ import annotations

import textwrap

from auditlib.conventions import services
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Port, Service

_PROBES = {
    "PostgreSQL": '["CMD-SHELL", "pg_isready -U $${POSTGRES_USER:-postgres}"]',
    "Redis": '["CMD", "redis-cli", "ping"]',
    "Valkey": '["CMD", "valkey-cli", "ping"]',
    "RabbitMQ": '["CMD", "rabbitmq-diagnostics", "-q", "ping"]',
    "MariaDB": '["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"]',
}
"""By product the question that its own image brings the program for."""
_PASSWORD = ("requirepass", "aclfile", "redis.conf", "valkey.conf")


def of_service(service: Service, lines: str) -> str:
    """Lines of one service, below its name; nothing without lines."""
    return f"{service.name}:\n{textwrap.indent(lines, '  ')}" if lines else ""


def waiting(service: Service, needed: str, condition: str) -> str:
    """All that a service waits for, one of it under this condition; a list knows no conditions, so it is a mapping."""
    waits = {item.service: item.condition for item in service.dependencies if not item.implicit} | {needed: condition}
    lines = "".join(f"\n  {name}: {{condition: {each}}}" for name, each in waits.items())
    return of_service(service, f"depends_on:{lines}")


def on_loopback(port: Port) -> tuple[str, str]:
    """A port in the short form, published to the host alone; nothing where it is written in another way."""
    if not port.host_port or port.host_ip:
        return "", ""
    plain = f"{port.host_port}:{port.target}"
    return plain, f"127.0.0.1:{plain}"


def health_check(inventory: Inventory, service: Service) -> str:
    """A health check with which the product's own image can be asked; empty for anything else."""
    product = services.product(inventory, service)
    test = _PROBES.get(product.name, "") if product and not service.build and service.healthcheck is None else ""
    if not test or any(word in " ".join(service.command) for word in _PASSWORD):
        return ""
    return f"healthcheck:\n  test: {test}\n  interval: 10s\n  timeout: 5s\n  retries: 5"


def named_volume(service: Service, folder: str) -> str:
    """A named volume for a folder of a service, and its declaration."""
    name = f"{service.name}-data"
    return f"services:\n  {service.name}:\n    volumes:\n      - {name}:{folder}\nvolumes:\n  {name}:"
