"""On which addresses a service's ports are published, and so who can reach them.

Follows https://docs.docker.com/reference/compose-file/services/#ports.
"""

from __future__ import annotations

import ipaddress

from auditlib.inventory.stack import Port, Service

_CHOSEN = ("127.", "localhost", "::1", "[::1]", "${")
"""How the address of a port begins that isn't for everybody: the loopback device's, or one that a variable holds."""

_EVERYWHERE = frozenset({"", "0.0.0.0", "::", "[::]", "*"})  # noqa: S104


def is_exposed(service: Service) -> bool:
    """Whether a port of the service is published on an address that other hosts can reach."""
    return bool(public_ports(service))


def public_ports(service: Service) -> list[Port]:
    """The ports of the service that are published on an address that other hosts can reach.

    An address of which only its variable is known is one that somebody has chosen.
    """
    return [port for port in service.ports if not port.host_ip.startswith(_CHOSEN)]


def is_bound(port: Port) -> bool:
    """Whether a port is published on one address of the host, not on all of them."""
    return port.host_ip not in _EVERYWHERE


def is_on_private_address(port: Port) -> bool:
    """Whether a port is published on an address that only a private network reaches."""
    if not is_bound(port):
        return False
    try:
        return not ipaddress.ip_address(port.host_ip.strip("[]")).is_global
    except ValueError:
        return False


def published_on(port: Port) -> str:
    """Where a port is published, in words."""
    return f"{port.host_ip}, an address of the host" if is_bound(port) else "all addresses of the host"
