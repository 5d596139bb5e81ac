"""Grafana starts without a data source.

Nothing is provisioned, or dashboards alone, so that whoever opens Grafana sees nothing until somebody adds the data
source and the dashboards by hand; each new installation, and each loss of its volume, begins again. Likewise nobody
finds the logs or the traces where Loki or Tempo runs beside it and no data source asks that.

Anti-pattern:

    services:
      prometheus: { image: prom/prometheus:v2.55.0 }
      grafana:
        image: grafana/grafana:11.1.0

Better:

    services:
      grafana:
        image: grafana/grafana:11.1.0
        volumes:
          - ./grafana/provisioning:/etc/grafana/provisioning:ro

Recommendation:

    Commit the data source and the dashboards as files, and mount them into `/etc/grafana/provisioning`.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from auditlib.conventions import environments, grafana, images, monitoring, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard, Datasource
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_HOME = "/etc/grafana/provisioning"
_EXAMPLE = """\
apiVersion: 1
datasources:
  - name: {name}
    type: {kind}
    url: {url}
    isDefault: true
"""
_ASKED = {"Prometheus": ("prometheus", "9090"), "Loki": ("loki", "3100")}
"""By product the type of data source by which Grafana asks it, and its port."""
_LOKI = "grafana/loki"
_BESIDE = {_LOKI: ("loki", "3100", "logs"), "grafana/tempo": ("tempo", "3200", "traces")}
"""Stores without a page of their own: by image the type of data source, the port, and what is found there."""
_UNKNOWN = ("<its name>", "<its type>", "<its address>")


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every Grafana that nothing, or nothing but dashboards, is provisioned for, where no file has a data source; and
    every one that is given some, and none of the Loki beside it.
    """
    if grafana.adds_sources(inventory):
        return
    if inventory.datasources:
        yield from _without_logs(inventory)
        return
    for server in grafana.servers(inventory):
        if environments.only_for_development(server) or grafana.may_have_sources(inventory, server):
            continue
        if mine := [item for item in inventory.dashboards if mounts.path_inside(server, item.file)]:
            yield _evidence(inventory, server, mine)
        elif not inventory.dashboards and not _is_provisioned(server):
            yield _evidence(inventory, server)


def _without_logs(inventory: Inventory) -> Iterator[Evidence]:
    """A Grafana whose data sources are all known, beside a Loki or a Tempo that none of them asks."""
    sources = inventory.datasources
    if any(monitoring.is_template(item.file, item.name, item.url) for item in sources):
        return
    read, asked = {item.file for item in sources}, {item.type for item in sources}
    for server in grafana.servers(inventory):
        beside = inventory.services_of(server.project).values()
        stores = [(item, kind) for item in beside if (kind := images.repository(item.image)) in _BESIDE]
        unasked = [(item, kind) for item, kind in stores if _BESIDE[kind][0] not in asked]
        if unasked and not environments.only_for_development(server) and _is_known(inventory, server, read):
            first = next(item for item in sources if _sees(server, item))
            for kind in dict.fromkeys(kind for _, kind in unasked):
                yield _of_store(server, next(item for item, each in unasked if each == kind), kind, first)


def _is_known(inventory: Inventory, server: Service, read: set[str]) -> bool:
    """Whether a server is given data sources by files alone that have all been read."""
    told = any(entry.name.startswith(("GF_PATHS_", "GF_INSTALL_")) for entry in server.environment)
    homes = [mount for mount in server.mounts if mount.target.startswith("/etc/grafana")]
    unread = any(mount.outside or mount.kind != "bind" for mount in homes)
    own = {path for path in inventory.files if grafana.sees(server, grafana.SOURCES, path)}
    return bool(own) and own <= read and not (told or unread or server.build or server.configs or server.command)


def _sees(server: Service, source: Datasource) -> bool:
    return grafana.sees(server, grafana.SOURCES, source.file)


def _of_store(server: Service, store: Service, image: str, first: Datasource) -> Evidence:
    kind, port, what = _BESIDE[image]
    whole = _EXAMPLE.format(name=kind.capitalize(), kind=kind, url=f"http://{store.name}:{port}")
    lines = whole.removeprefix("apiVersion: 1\n").replace("    isDefault: true\n", "")
    return Evidence(
        f"{server.name} is given data sources, and none of them asks {store.name}: nobody finds the {what} there until "
        "somebody adds it by hand.",
        first.location,
        subject=f"{server.name}/{store.name}",
        service=server.name,
        related=(Related(store.location, f"{store.name} keeps {what}"),),
        recommendation=f"Write a data source of the type {kind} into {first.file}.",
        confidence=Confidence.MEDIUM,
        example=files.into(first.file, lines),
    )


def _is_provisioned(server: Service) -> bool:
    """Whether something is given to it; if that is missing or in the wrong place, other rules say so."""
    return any(mount.target.startswith("/etc/grafana/provisioning/") for mount in server.mounts)


def _evidence(inventory: Inventory, server: Service, dashboards: Sequence[Dashboard] = ()) -> Evidence:
    sources = [("Prometheus", item) for item in services.of_product(inventory, "Prometheus")]
    sources += [("Loki", item) for item in inventory.distinct_services if images.repository(item.image) == _LOKI]
    sources = sorted(sources, key=lambda each: each[1].project != server.project)
    folder = mounts.path_outside(server, grafana.SOURCES)
    mount = mounts.holding(server, grafana.SOURCES)
    if folder and mount and (right := mounts.undoubled(mount)):
        folder = folder.replace(mount.source, right, 1)
    given = "no data source and no dashboard"
    if dashboards:
        given = (
            f"{counted(len(dashboards), 'dashboard')} ({listed(item.title for item in dashboards)}) and no data source"
        )
    return Evidence(
        f"{server.name} is given {given}: it shows nothing until somebody sets it up by hand.",
        server.location,
        subject=server.name,
        service=server.name,
        related=(
            *(Related(item.location, f"{item.name} is what it could ask") for _, item in sources[:1]),
            *(Related(item.location, f"the dashboard {item.title} stays empty") for item in dashboards[:5]),
        ),
        severity=Severity.MEDIUM if dashboards else None,
        recommendation=f"Write a data source into {folder}, which {server.name} reads, and the dashboards beside it."
        if folder
        else f"Mount files with a data source and the dashboards at {_HOME} of {server.name}.",
        example=_source(server, folder, sources),
    )


def _source(server: Service, folder: str, sources: list[tuple[str, Service]]) -> str:
    """The data source in the folder that is mounted, or in one with its mount."""
    known = ((name, _ASKED[name][0], f"http://{item.name}:{_ASKED[name][1]}") for name, item in sources)
    name, kind, url = next(known, _UNKNOWN)
    lines = _EXAMPLE.format(name=name, kind=kind, url=url)
    if folder:
        return files.into(f"{folder}/main.yaml", lines)
    home = posixpath.join(posixpath.dirname(server.location.file), "grafana/datasources")
    mount = files.into(server.location.file, compose_lines.mount_of(server, home, grafana.SOURCES))
    return f"{files.into(f'{home}/main.yaml', lines)}{mount}"
