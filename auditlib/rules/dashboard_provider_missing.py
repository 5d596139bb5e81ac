"""Dashboards stand in the repository, and Grafana isn't told to load them.

Grafana loads dashboards from the folders that a provider names, as its container sees them. Without a provider, or
without the mount, the folder is empty and people look at a Grafana without dashboards.

Anti-pattern:

    # grafana/dashboards/api.json exists
    # grafana/provisioning/dashboards/ has no provider

Better:

    providers:
      - name: default
        type: file
        options: {path: /var/lib/grafana/dashboards}
    # compose.yaml: ./grafana/dashboards:/var/lib/grafana/dashboards:ro

Recommendation:

    Add a provider whose path is the folder that the dashboards are mounted at.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, grafana, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard
from auditlib.inventory.stack import Mount, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each folder of dashboards, unless a provider of a running Grafana reaches it or they come another way."""
    servers = [item for item in grafana.servers(inventory) if item.build is None]
    if not servers or _loaded_otherwise(inventory, servers):
        return
    elsewhere = deployment.uses_orchestrator(inventory)
    folders: defaultdict[str, list[Dashboard]] = defaultdict(list)
    for dashboard in inventory.dashboards:
        imported = any(variable.kind == "input" for variable in dashboard.variables)
        if elsewhere and not any(_is_for(inventory, item, dashboard) for item in servers):
            continue
        if (
            not imported
            and not environments.is_for_development(dashboard.file)
            and not grafana.loads(inventory, servers, dashboard)
        ):
            folders[dashboard.file.rpartition("/")[0]].append(dashboard)
    for folder, dashboards in folders.items():
        yield _evidence(inventory, _meant(servers, dashboards[0].file), folder, dashboards)


def _is_for(inventory: Inventory, server: Service, dashboard: Dashboard) -> bool:
    """Whether a server has a dashboard, and providers too, so that it is to load it whatever else is deployed."""
    given = any(grafana.sees(server, "/", item.file) for item in inventory.dashboard_providers)
    return given and grafana.sees(server, "/", dashboard.file)


def _meant(servers: list[Service], file: str) -> Service:
    """The server that a dashboard is for: one that mounts it, else the one whose Compose file lies nearest."""
    return max(servers, key=lambda item: (grafana.sees(item, "/", file), _shared_depth(item.location.file, file)))


def _shared_depth(one: str, other: str) -> int:
    return len(posixpath.commonprefix([one.split("/"), other.split("/")]))


def _loaded_otherwise(inventory: Inventory, servers: list[Service]) -> bool:
    """Whether Grafana's API, an orchestrator or the content of a volume may bring the dashboards."""
    by_api = any(
        "/api/dashboards" in word or ("grafana" in word and "import" in word)
        for command in deployment.commands(inventory)
        for word in command.words
    )
    found = [mount for item in servers for mount in item.mounts if "provisioning" in mount.target]
    unseen = any(mount.outside or _is_misplaced(inventory, mount) for mount in found)
    return by_api or unseen or any(_has_unread_config(item) for item in servers)


def _has_unread_config(server: Service) -> bool:
    """Whether one of the `configs` that Compose gives a server is no file of the repository, but text or external."""
    return len(server.configs) > sum(mount.is_config for mount in server.mounts)


def _is_misplaced(inventory: Inventory, mount: Mount) -> bool:
    """Whether a provider lies where Grafana doesn't look, which is another rule's matter."""
    return grafana.lies_beside(mount) and any(item.file == mount.source for item in inventory.dashboard_providers)


_FILE = "default.yml"
_PROVIDER = "apiVersion: 1\nproviders:\n  - name: {}\n    type: file\n    options: {{path: {}}}"


def _provided(server: Service, folder: str, mount: Mount | None) -> str:
    """The mount, if there is none, and the provider that reads it."""
    target = mount.target if mount else "/var/lib/grafana/dashboards"
    source = posixpath.relpath(folder or ".", posixpath.dirname(server.location.file) or ".")
    source = source if source.startswith(".") else f"./{source}"
    name = folder.rpartition("/")[2] or "dashboards"
    path, own = _provisioning(server)
    volumes = "\n".join([*([] if mount else [f"  - {source}:{target}:ro"]), *own])
    lines = compose_lines.of_service(server, f"volumes:\n{volumes}") + "\n" if volumes else ""
    return lines + files.into(path, _PROVIDER.format(name, target))


def _provisioning(server: Service) -> tuple[str, list[str]]:
    """Where a provider is to lie, and the mount that brings it into Grafana; none where its folder is mounted."""
    for mount in server.mounts:
        if mount.kind == "bind" and not mount.outside and mounts.is_below(grafana.PROVIDERS, mount.target):
            inside = posixpath.relpath(grafana.PROVIDERS, mount.target)
            return posixpath.normpath(posixpath.join(mount.source, inside, _FILE)), []
    folder = posixpath.join(posixpath.dirname(server.location.file), "grafana/provisioning/dashboards")
    return posixpath.join(folder, _FILE), [f"  - ./grafana/provisioning/dashboards:{grafana.PROVIDERS}:ro"]


def _unwrapped(file: str) -> str:
    """The command that takes a dashboard out of what Grafana's API wants around it."""
    path = shlex.quote(file)
    return f"jq .dashboard {path} > {path}.new && mv {path}.new {path}"


def _evidence(inventory: Inventory, server: Service, folder: str, dashboards: list[Dashboard]) -> Evidence:
    providers = inventory.dashboard_providers
    why = f"the providers name {listed(item.path for item in providers)}" if providers else "there is no provider"
    if providers and (home := grafana.providers_folder(server)) != grafana.PROVIDERS:
        why = f"providers are looked for in {home} (`GF_PATHS_PROVISIONING`)"
    wrapped = [item.file for item in dashboards if item.below == "dashboard"]
    found = [item for item in server.mounts if item.kind == "bind" and item.source.rstrip("/") == folder]
    mount = found[0] if found else None
    mounted = f" is mounted at {listed(item.target for item in found)}" if found else " isn't mounted into it"
    if not mount and any(grafana.sees(server, "/", item.file) for item in dashboards):
        mounted = " is mounted with a folder above it"
    return Evidence(
        f"{server.name} doesn't load {counted(len(dashboards), 'dashboard')} of {folder or 'the root'} "
        f"({listed((item.title for item in dashboards), limit=4)}): {folder or 'the root'}{mounted}, and {why}.",
        dashboards[0].location,
        subject=f"{folder}/dashboards",
        service=server.name,
        related=(
            *(Related(item.location, f"this provider reads {item.path}") for item in providers[:3]),
            Related(mount.location if mount else server.location, "what Grafana mounts"),
        ),
        recommendation=(
            f"Name {mount.target} in a provider that {server.name} reads."
            if mount
            else f"Mount {folder or 'the dashboards'} into {server.name}, and name that folder in a provider."
        )
        + (
            f" Take what stands below `dashboard` in {wrapped[0]} out of it: no provider reads it there."
            if wrapped
            else ""
        ),
        example=_provided(server, folder, mount) + "".join(f"\n{_unwrapped(file)}" for file in wrapped),
    )
