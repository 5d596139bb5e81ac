"""Which configuration files of the repository a service has: what it mounts, or what its image copies by name."""

from __future__ import annotations

from auditlib.conventions import build_context, services
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import ConfigAddress
from auditlib.inventory.stack import Service


def addresses(inventory: Inventory, service: Service) -> list[ConfigAddress]:
    """The addresses in the configuration files that a service, built here, is given by their names."""
    if service.build is None or not inventory.config_addresses:
        return []
    given = files(inventory, service)
    return [item for item in inventory.config_addresses if item.location.file in given]


def files(inventory: Inventory, service: Service) -> frozenset[str]:
    """The files that a service mounts or that the built stage of its image copies, one by one."""
    mounted = {mount.source for mount in service.mounts if mount.kind == "bind" and not mount.outside}
    copied = {
        build_context.path_outside(service.build, word)
        for item in services.built_from(inventory, service)[1]
        if item.copies_context and service.build
        for word in item.words[:-1]
    }
    return frozenset(mounted | copied) & inventory.file_set
