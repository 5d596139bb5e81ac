"""A data source of Grafana is of a type that nothing installs.

Grafana brings the types for the usual stores. Every other one is a plug-in: without it the data source is there by
name, each of its panels says "plugin not found", and nobody is told at the start.

Anti-pattern:

    # datasources.yml
    - {name: Events, type: grafana-clickhouse-datasource, url: "http://clickhouse:8123"}
    # compose.yaml
    grafana: {image: grafana/grafana:11.3.0}

Better:

    grafana:
      image: grafana/grafana:11.3.0
      environment: {GF_INSTALL_PLUGINS: grafana-clickhouse-datasource}

Recommendation:

    Name the plug-in in GF_PLUGINS_PREINSTALL_SYNC (before Grafana 12 GF_INSTALL_PLUGINS), or build it into the image.

References:

- https://grafana.com/docs/grafana/latest/setup-grafana/configure-docker/#install-plugins-in-the-docker-container
- https://grafana.com/docs/grafana/latest/datasources/#built-in-core-data-sources
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, grafana, images, mounts, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.inventory.stack import EnvironmentEntry, Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PLUGIN = regex(r"[a-z0-9]+(?:-[a-z0-9]+)*-datasource")
_BUILT_IN = frozenset({
    "grafana-azure-monitor-datasource", "grafana-postgresql-datasource", "grafana-pyroscope-datasource",
    "grafana-testdata-datasource",
})  # fmt: skip
_SETTINGS = "/etc/grafana/grafana.ini"
_HOME = "/var/lib/grafana/plugins"
_PREINSTALLS = 12
"""The release from which on its own setting is the way, and the variable of the image a legacy."""
_LISTS = regex(r"GF_(?:INSTALL_PLUGINS|PLUGINS_PREINSTALL(?:_SYNC)?)")
_TOLD = regex(r"GF_(?:INSTALL_PLUGINS|PLUGINS_\w+|PATHS_PLUGINS)")


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each Grafana on its maker's image that is given data sources of a type which nothing installs."""
    wanted = [item for item in inventory.datasources if _PLUGIN.fullmatch(item.type) and item.type not in _BUILT_IN]
    if not wanted or any("plugins" in word for item in deployment.commands(inventory) for word in item.words):
        return
    found: defaultdict[str, list[Datasource]] = defaultdict(list)
    installing = {item.key for item in inventory.services if any(map(_is_left_open, item.environment))}
    servers = {
        item.key: item
        for item in grafana.servers(inventory)
        if not _may_have(inventory, item) and item.key not in installing
    }
    for server in servers.values():
        told = " ".join(entry.value.text for entry in server.environment if _TOLD.fullmatch(entry.name) and entry.value)
        for source in wanted:
            if grafana.sees(server, grafana.SOURCES, source.file) and source.type not in told and "$" not in told:
                found[server.key].append(source)
    for key, sources in found.items():
        yield _evidence(servers[key], sources)


def _is_left_open(entry: EnvironmentEntry) -> bool:
    """Whether a variable of the host says which plug-ins are installed."""
    return _TOLD.fullmatch(entry.name) is not None and (entry.value is None or bool(entry.variables))


def _may_have(inventory: Inventory, server: Service) -> bool:
    """Whether an image, a folder of the host, a start or a configuration of one's own may bring plug-ins."""
    unknown = services.lacks_env_file(inventory, server) or mounts.path_outside(server, _SETTINGS) in inventory.file_set
    mount = mounts.holding(server, _HOME)
    kept = mount is not None and mount.kind == "bind"
    return bool(server.build or server.entrypoint or server.command or kept or unknown)


def _line(server: Service, types: list[str]) -> str:
    """The variable that the release knows, with what it has so far."""
    given = {entry.name: entry.value.text for entry in server.environment if entry.value and entry.value.text}
    number = images.tag(server.image).partition(".")[0].removeprefix("v")
    name = "GF_INSTALL_PLUGINS" if number.isdecimal() and int(number) < _PREINSTALLS else "GF_PLUGINS_PREINSTALL_SYNC"
    name = next((item for item in given if _LISTS.fullmatch(item)), name)
    return f"environment:\n  {name}: {','.join([*filter(None, [given.get(name, '')]), *types])}"


def _evidence(server: Service, sources: list[Datasource]) -> Evidence:
    first, *others = sources
    types = list(dict.fromkeys(item.type for item in sources))
    kept = mounts.holding(server, _HOME)
    kinds, what = ("type", "a plug-in") if len(types) == 1 else ("types", "plug-ins")
    doubt = ", unless somebody did by hand" if kept else ""
    return Evidence(
        f"{listed(item.name for item in sources)} of {first.file} {'is' if not others else 'are'} of the {kinds} "
        f"{listed(types)}, {what} that nothing installs in {server.name}{doubt}: the panels say "
        "that it isn't found.",
        first.location,
        subject=f"{server.name}/{first.type}",
        service=server.name,
        related=(
            *(Related(item.location, f"{item.name} is of the type {item.type}", member=True) for item in others),
            Related(server.image_location, f"{server.name} has the plug-ins of its image"),
        ),
        recommendation=f"Have {server.name} install {listed(types)}.",
        severity=Severity.LOW if environments.only_for_development(server) else None,
        confidence=Confidence.MEDIUM if kept else None,
        example=compose_lines.of_service(server, _line(server, types)),
    )
