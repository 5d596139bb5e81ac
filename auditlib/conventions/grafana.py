"""How Grafana finds what it is provisioned with.

Sources: https://grafana.com/docs/grafana/latest/administration/provisioning/, and for the identifiers of data sources
without one `safeUIDFromName` of Grafana's source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from auditlib.conventions import deployment, environments, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Dashboard, Datasource
from auditlib.inventory.stack import Service

_LOGIN_SETTINGS = ("GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_DISABLE_INITIAL", "GF_AUTH_", "GF_PATHS_CONFIG")
"""https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#admin_password"""
BUILT_IN = frozenset({"", "default", "grafana", "-- grafana --", "-- mixed --", "-- dashboard --", "-100", "__expr__"})
"""Data sources that every Grafana has (in lower case), and the word for the default one."""


def names(datasources: Iterable[Datasource]) -> set[str]:
    """All words by which a panel may mean one of the data sources: name, identifier, and the one that is generated."""
    found = set()
    for item in datasources:
        found |= {item.name, item.uid or generated_uid(item.name)}
    return found


def generated_uid(name: str) -> str:
    """The identifier that Grafana gives a provisioned data source that has none: `P` and a hash of its name."""
    return "P" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16].upper()


def servers(inventory: Inventory) -> tuple[Service, ...]:
    """The services that run Grafana."""
    return services.of_product(inventory, "Grafana")


def keeps_first_login(inventory: Inventory, server: Service) -> bool:
    """Whether nothing that a server is given, as far as the files tell, says another login than `admin`/`admin`."""
    told = any(entry.name.startswith(_LOGIN_SETTINGS) for entry in server.environment)
    unread = server.build or server.configs or any(item.path not in inventory.file_set for item in server.env_files)
    homes = [mount.target for mount in server.mounts if mount.target.startswith("/etc/grafana")]
    configured = any("provisioning" not in home for home in homes)
    return not (told or unread or configured or environments.only_for_development(server))


def sees(server: Service, folder: str, file: str) -> bool:
    """Whether the container finds a file of the repository in a folder of its own."""
    inside = mounts.path_inside(server, file)
    return bool(inside) and mounts.is_below(inside, folder)


def loads(inventory: Inventory, running: Iterable[Service], dashboard: Dashboard) -> bool:
    """Whether a provider of one of the servers reaches a dashboard, as far as the files tell."""
    found = tuple(running)
    return any(
        "$" in provider.path or sees(server, provider.path, dashboard.file)
        for provider in inventory.dashboard_providers
        for server in found
        if sees(server, "/etc/grafana/provisioning/dashboards", provider.file) or "$" in provider.path
    ) or any(entry.name == "GF_PATHS_PROVISIONING" for server in found for entry in server.environment)


def may_have_datasources(inventory: Inventory, server: Service) -> bool:
    """Whether a server may be given data sources in a way that the files don't tell."""
    told = any(entry.name.startswith(("GF_PATHS_", "GF_DATASOURCES", "GF_INSTALL")) for entry in server.environment)
    outside = any(mount.outside and mount.target.startswith("/etc/grafana") for mount in server.mounts)
    unread = any("datasource" in path.lower() for path in inventory.files)
    asked = any("api/datasources" in word for command in deployment.commands(inventory) for word in command.words)
    return told or outside or unread or asked or bool(server.build or server.configs)
