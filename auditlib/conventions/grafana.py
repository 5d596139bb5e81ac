"""How Grafana finds what it is provisioned with.

Sources: https://grafana.com/docs/grafana/latest/administration/provisioning/, and for the identifiers of data sources
without one `safeUIDFromName` of Grafana's source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from auditlib.conventions import deployment, environments, mounts, services
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard, DashboardProvider, Datasource
from auditlib.inventory.stack import Mount, Service
from auditlib.patterns import regex

_LOGIN_SETTINGS = ("GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_DISABLE_INITIAL", "GF_AUTH_", "GF_PATHS_CONFIG")
"""https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#admin_password"""
SOURCES = "/etc/grafana/provisioning/datasources"
PROVIDERS = "/etc/grafana/provisioning/dashboards"
"""Where Grafana looks for the files of data sources, and of providers of dashboards."""
_OF_DASHBOARDS = (".json", ".jsonnet", ".libsonnet", ".j2")
"""What a dashboard is written in, or made of before the start."""
_BESIDE = regex(r"/etc/grafana/provisioning/[^/]+\.ya?ml")
_OF_SESSIONS = ("GF_AUTH_TOKEN_", "GF_AUTH_LOGIN_")
"""Settings that say how long a login lasts, not which one there is."""
BUILT_IN = frozenset({"", "default", "grafana", "-- grafana --", "-- mixed --", "-- dashboard --", "-100", "__expr__"})
"""Data sources that every Grafana has (in lower case), and the word for the default one."""


def names(datasources: Iterable[Datasource]) -> set[str]:
    """All words by which a panel may mean one of the data sources: name, identifier, and the one that is generated."""
    found = set()
    for item in datasources:
        found |= {item.name, item.uid or generated_uid(item.name)}
    return found


_OTHER_TYPES = {"grafana-postgresql-datasource": "postgres", "grafana-pyroscope-datasource": "phlare"}
"""Types by their names of today, and what they were called before."""


def is_of_type(source: Datasource, kind: str) -> bool:
    """Whether a data source answers the queries of panels that ask for a type; any does where they name none."""
    return not kind or _OTHER_TYPES.get(source.type, source.type) == _OTHER_TYPES.get(kind, kind)


def generated_uid(name: str) -> str:
    """The identifier that Grafana gives a provisioned data source that has none: `P` and a hash of its name."""
    return "P" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16].upper()


def servers(inventory: Inventory) -> tuple[Service, ...]:
    """The services that run Grafana."""
    return services.of_product(inventory, "Grafana")


def keeps_first_login(inventory: Inventory, server: Service) -> bool:
    """Whether nothing that a server is given, as far as the files tell, says another login than `admin`/`admin`."""
    names = [entry.name for entry in server.environment if not entry.name.startswith(_OF_SESSIONS)]
    told = any(name.startswith(_LOGIN_SETTINGS) for name in names)
    unread = server.build or server.configs or services.lacks_env_file(inventory, server)
    homes = [mount.target for mount in server.mounts if mount.target.startswith("/etc/grafana")]
    configured = any("provisioning" not in home for home in homes)
    return not (told or unread or configured or environments.only_for_development(server))


def sees(server: Service, folder: str, file: str) -> bool:
    """Whether the container finds a file of the repository in a folder of its own."""
    return any(mounts.is_below(inside, folder) for inside in mounts.paths_inside(server, file))


def providers_folder(server: Service) -> str:
    """Where a server looks for providers of dashboards; empty where nobody knows what lies there."""
    told = next((entry for entry in server.environment if entry.name == "GF_PATHS_PROVISIONING"), None)
    if told is None:
        return PROVIDERS
    home = told.value.text.rstrip("/") if told.value else ""
    unread = any(
        mounts.is_below(home, mount.target) and (mount.outside or mount.kind != "bind") for mount in server.mounts
    )
    return f"{home}/dashboards" if home.startswith("/") and "$" not in home and not unread else ""


def providers(inventory: Inventory, server: Service) -> list[DashboardProvider]:
    """The providers of dashboards that a server reads."""
    folder = providers_folder(server) or PROVIDERS
    return [item for item in inventory.dashboard_providers if sees(server, folder, item.file)]


def files_at(inventory: Inventory, server: Service, path: str) -> tuple[str, list[str]]:
    """The folder of the repository that a server sees at a path of its own, and the files in it; empty for no such."""
    folder = mounts.path_outside(server, path) if path.startswith("/") else ""
    return folder, [file for file in inventory.files if mounts.is_below(file, folder)] if folder else []


def are_dashboards(paths: Iterable[str]) -> bool:
    """Whether a dashboard is among files, or something that one is made of."""
    return any(path.endswith(_OF_DASHBOARDS) for path in paths)


def lies_beside(mount: Mount) -> bool:
    """Whether a file is mounted directly into the folder of what is provisioned, which Grafana doesn't look at."""
    return mount.kind == "bind" and _BESIDE.fullmatch(mount.target) is not None


def loads(inventory: Inventory, running: Iterable[Service], dashboard: Dashboard) -> bool:
    """Whether a provider of one of the servers reaches a dashboard, as far as the files tell."""
    found = tuple(running)
    return any(
        "$" in provider.path or sees(server, provider.path, dashboard.file)
        for provider in inventory.dashboard_providers
        for server in found
        if sees(server, providers_folder(server), provider.file) or "$" in provider.path
    ) or any(not providers_folder(server) for server in found)


def adds_sources(inventory: Inventory) -> bool:
    """Whether a command of the repository gives a Grafana data sources by its interface or its files."""
    texts = (" ".join(item.words) for item in deployment.commands(inventory))
    return any("/api/datasources" in text or "datasources" in text.split("/") for text in texts)


def adds_dashboards(inventory: Inventory) -> bool:
    """Whether a command of the repository speaks of dashboards, which it may fetch or write."""
    return any("dashboard" in word.lower() for command in deployment.commands(inventory) for word in command.words)


def may_have_sources(inventory: Inventory, server: Service) -> bool:
    """Whether files that aren't read, an image of one's own, or a plug-in may bring a server data sources."""
    told = any(entry.name.startswith(("GF_PATHS_", "GF_INSTALL_")) for entry in server.environment)
    homes = [mount for mount in server.mounts if mount.target.startswith("/etc/grafana")]
    unread = any(mount.outside or mount.kind != "bind" for mount in homes)
    held = any("datasource" in path.lower() and mounts.path_inside(server, path) for path in inventory.files)
    return bool(told or unread or held or server.build or server.configs or server.command or server.entrypoint)
