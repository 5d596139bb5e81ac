"""A fixed address lies among those that Docker hands out.

A container that asks for no address gets the first free one of the network's range. When it starts before the one that
is to have a fixed address there, it may get just that, and the other ends with "Address already in use".

Anti-pattern:

    services:
      proxy: {image: "nginx:1.27", networks: {lan: {ipv4_address: 172.20.0.2}}}
      api: {image: "ghcr.io/acme/api:1.4", networks: [lan]}
    networks:
      lan: {ipam: {config: [{subnet: 172.20.0.0/16}]}}

Better:

    services:
      proxy: {image: "nginx:1.27", networks: {lan: {ipv4_address: 172.20.0.2}}}
      api: {image: "ghcr.io/acme/api:1.4", networks: [lan]}
    networks:
      lan: {ipam: {config: [{subnet: 172.20.0.0/16, ip_range: 172.20.128.0/17}]}}

Recommendation:

    Give the network an `ip_range` without the fixed addresses, or every service of it an address of its own.

References:

- https://docs.docker.com/reference/compose-file/networks/#ipam
- https://docs.docker.com/reference/compose-file/services/#ipv4_address-ipv6_address
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from auditlib.conventions import environments, networks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Attachment, Network, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

Joined = tuple[Service, Attachment]
_SPARE = 8
"""Addresses that copies of services, commands that run once and containers of other projects may take."""
_SMALLEST = 29
"""The longest prefix of a subnet whose half is worth a range."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each network with services of both kinds, in which a fixed address lies where Docker takes others from."""
    for network in inventory.networks:
        joined = list(_joined(inventory, network)) if network.pools and not network.external else []
        fixed = [(item, there) for item, there in joined if _is_handed_out(network, there.address)]
        free = [(item, there) for item, there in joined if not there.address]
        near = [(item, there) for item, there in fixed if _is_near(network, there.address, len(joined))]
        if near and free:
            yield _evidence(inventory, network, near, free, _range(network, fixed))


def _joined(inventory: Inventory, network: Network) -> Iterator[Joined]:
    """Who is in a network: of its own project, and of those that know it by its name as an external one."""
    name = networks.known_as(network)
    elsewhere = {(item.project, item.name) for item in inventory.networks if item.external and item.called == name}
    for service in inventory.distinct_services:
        for there in service.networks:
            own = service.project == network.project and there.network == network.name
            if (own or (service.project, there.network) in elsewhere) and not service.network_mode:
                yield service, there


def _is_handed_out(network: Network, address: str) -> bool:
    """Whether an address lies in the range of a network from which Docker takes those that nobody asks for."""
    try:
        wanted = ipaddress.ip_address(address)
        return any(wanted in ipaddress.ip_network(part or whole, strict=False) for whole, part in network.pools)
    except ValueError:  # nothing is fixed, or a variable holds it
        return False


def _is_near(network: Network, address: str, joined: int) -> bool:
    """Whether Docker, which hands out the lowest free address, may come to one with so many in the network."""
    wanted = ipaddress.ip_address(address)
    starts = [ipaddress.ip_network(part or whole, strict=False).network_address for whole, part in network.pools]
    same = [start for start in starts if start.version == wanted.version]
    return any(0 <= int(wanted) - int(start) <= _SPARE + 2 * joined for start in same)


def _range(network: Network, fixed: list[Joined]) -> str:
    """The upper half of a bridge's subnet, where none of the fixed addresses lies in it; a LAN has hosts of its own."""
    try:
        whole = ipaddress.IPv4Network(network.pools[0][0], strict=False)
    except ValueError:
        return ""
    if whole.prefixlen > _SMALLEST or network.driver not in ("", "bridge", "default"):
        return ""
    upper = list(whole.subnets())[1]
    return "" if any(ipaddress.IPv4Address(there.address) in upper for _, there in fixed) else str(upper)


def _evidence(inventory: Inventory, network: Network, fixed: list[Joined], free: list[Joined], span: str) -> Evidence:
    (service, first), *others = fixed
    whole, part = network.pools[0]
    names = listed((f"{item.name} ({there.address})" for item, there in fixed), limit=4)
    takers = listed(dict.fromkeys(item.name for item, _ in free), limit=4)
    return Evidence(
        f"{names} {'wants a fixed address' if not others else 'want fixed addresses'} of {part or whole}, from which "
        f"Docker takes those of {takers}: whoever starts first may get another's, which then doesn't start.",
        first.location,
        subject=f"{network.project}/{network.name}",
        service=service.name,
        related=(
            Related(network.location, f"{network.name} has no range apart from the fixed addresses"),
            *(Related(there.location, f"{item.name} has a fixed one too", member=True) for item, there in others),
            *(Related(there.location, f"{item.name} takes any") for item, there in free[:6]),
        ),
        recommendation=f"Set `ip_range: {span or '<a part without them>'}` for {network.name}, or fix the addresses of "
        f"{counted(len(free), 'other service')}, too.",
        severity=Severity.LOW if environments.is_for_developers(inventory, service) else None,
        example=files.into(
            network.location.file,
            f"networks:\n  {network.name}:\n    ipam:\n      config:\n        - subnet: {whole}\n"
            f"          ip_range: {span or '<a part of it without the fixed addresses>'}",
        ),
    )
