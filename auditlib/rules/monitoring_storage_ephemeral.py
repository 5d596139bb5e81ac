"""The monitoring keeps its data in no volume that outlives it.

Metrics, silences, dashboards made by hand and logs are gone with the next `docker compose down`, which is often part of
dealing with the incident that they would explain. A volume that only the image declares has no name: the next
`docker compose up` begins with another one.

Anti-pattern:

    alertmanager:
      image: prom/alertmanager:v0.27.0
      # no volume at /alertmanager: silences are lost

Better:

    alertmanager:
      image: prom/alertmanager:v0.27.0
      volumes: ["alertmanager_data:/alertmanager"]

Recommendation:

    Mount a named volume where the program keeps its data.

References:

- https://prometheus.io/docs/prometheus/latest/storage/
- https://grafana.com/docs/grafana/latest/setup-grafana/installation/docker/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.conventions import environments, mounts, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Mount, Project, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_KEEPS = {
    "prometheus": ("/prometheus", "metrics"),
    "alertmanager": ("/alertmanager", "silences and the memory of what was sent"),
    "grafana": ("/var/lib/grafana", "users, and dashboards made by hand"),
    "grafana-oss": ("/var/lib/grafana", "users, and dashboards made by hand"),
    "grafana-enterprise": ("/var/lib/grafana", "users, and dashboards made by hand"),
    "loki": ("/loki", "logs"),
}
"""Where the published images keep what, by the last part of the image's name."""
_OF_LOKI = "/loki"
_STATELESS = regex(r"--agent|enable-feature=agent|GF_DATABASE_(?:URL|HOST|TYPE)|-target=|ruler|s3|gcs|azure", re.I)
_FOLDER = "GF_PATHS_DATA"
"""https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#paths"""
_PATH_OPTION = regex(r"--?storage(?:\.tsdb)?\.path[= ](\S+)")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project, or overlay that adds services, whose monitoring keeps its data in no volume."""
    remote = any(config.remote_write for config in inventory.prometheus)
    declared = stacks.by_project(inventory.distinct_services)
    for project in inventory.projects:
        mine = declared.get(project.name, [])
        lost = [(item, *found) for item in mine if (found := _loses(inventory, item, remote))]
        if lost and not environments.in_development_file(inventory, project.location.file):
            yield _evidence(project, lost, given=bool(inventory.datasources and inventory.dashboards))


def _loses(inventory: Inventory, service: Service, remote: bool) -> tuple[str, str] | None:
    """The folder without a volume and what is lost with it; None if nothing is."""
    product = services.product(inventory, service)
    name = _image(inventory, service).partition("@")[0].rpartition("/")[2].partition(":")[0]
    if product is None or name not in _KEEPS:
        return None
    folder, content = _KEEPS[name]
    if "bitnami" in service.image:
        folder = f"/opt/bitnami/{name}/data"
    text = " ".join((*service.command, *(entry.name for entry in service.environment)))
    if (
        _STATELESS.search(text)
        or (name == "prometheus" and remote)
        or (name == "loki" and _stores_elsewhere(inventory))
    ):
        return None
    told = next((entry.value.text for entry in service.environment if entry.name == _FOLDER and entry.value), "")
    if name.startswith("grafana") and told:
        folder = told
    elif option := _PATH_OPTION.search(text):
        folder = option[1]
    elif name == "loki":
        folder = _whole(_folder_of_loki(inventory, service)) or folder
    keeps = any(
        mount.kind not in ("tmpfs",)
        and not _is_file(inventory, mount)
        and (mounts.is_below(folder, mount.target) or mounts.is_below(mount.target, folder))
        for mount in service.mounts
        if not mount.read_only
    )
    return None if keeps or not folder.startswith("/") else (folder, content)


def _is_file(inventory: Inventory, mount: Mount) -> bool:
    """Whether a file of the repository is mounted, which keeps nothing of what is written beside it."""
    return mount.kind == "bind" and mount.source in inventory.file_set


def _image(inventory: Inventory, service: Service) -> str:
    """The image of a service, or the one that its own image starts from."""
    return services.built_from(inventory, service)[0] if service.build else service.image


def _stores_elsewhere(inventory: Inventory) -> bool:
    """Whether Loki's configuration names a bucket, or a folder that we don't know."""
    return any(item.kind == "loki" and "filesystem" not in item.sinks for item in inventory.log_shippers)


def _whole(folder: str) -> str:
    """Loki's own folder for one below it: the index lies beside the chunks, and only that folder is its user's."""
    return _OF_LOKI if mounts.is_below(folder, _OF_LOKI) else folder


def _folder_of_loki(inventory: Inventory, service: Service) -> str:
    """The folder that the configuration which a service mounts has its chunks in; empty if it names none."""
    mounted = (item for item in inventory.log_shippers if mounts.path_inside(service, item.file))
    return next((folder.path for item in mounted for folder in item.folders), "")


def _evidence(project: Project, lost: list[tuple[Service, str, str]], *, given: bool) -> Evidence:
    first, folder, _ = lost[0]
    small = all("silences" in content or ("made by hand" in content and given) for _, _, content in lost)
    what = listed(f"{item.name} ({path}: {content})" for item, path, content in lost)
    return Evidence(
        f"{what} {'keeps' if len(lost) == 1 else 'keep'} data in no named volume, so that it is gone with the next "
        f"{'task that Swarm makes of it' if project.for_swarm else '`docker compose down`'}.",
        first.location,
        subject=f"{project.name}/monitoring-storage",
        service=first.name,
        related=tuple(
            Related(item.location, f"{item.name} mounts nothing at {path}", member=True) for item, path, _ in lost[1:]
        ),
        recommendation=f"Mount a named volume at {folder} of {first.name} in {first.location.file}.",
        severity=Severity.LOW if small else None,
        example=compose_lines.named_volume(first, folder),
    )
