"""A dashboard asks a data source that isn't provisioned.

Panels refer to a data source by its identifier. An exported dashboard carries that of the Grafana it came from; in
another one every panel says "Datasource not found". One exported to be shared names an input, which only an import by
hand fills in.

Anti-pattern:

    # dashboard.json
    "datasource": {"type": "prometheus", "uid": "P1809F7CD0C75ACF3"}
    # datasources.yml: uid: prometheus

Better:

    "datasource": {"type": "prometheus", "uid": "prometheus"}

Recommendation:

    Give the provisioned data source a fixed `uid` and use it in the dashboards, or a variable of type `datasource`.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources
- https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import grafana, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import Dashboard, Panel
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules._rule import Evidence, rule

_INPUT = regex(r"\$\{(?P<name>DS_\w+)\}")
"""How Grafana writes an input of a dashboard that is exported to be shared."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each dashboard the data sources that its panels name and that no provisioning file declares."""
    yield from _unfilled(inventory)
    known = grafana.names(inventory.datasources)
    if not known:
        yield from _unprovided(inventory)
    if not known or any(monitoring.is_template(item.file, item.name, item.uid) for item in inventory.datasources):
        return
    for dashboard in inventory.dashboards:
        unknown: defaultdict[str, list[Panel]] = defaultdict(list)
        for panel in dashboard.panels:
            name = panel.datasource
            if name.lower() not in grafana.BUILT_IN and "$" not in name and name not in known:
                unknown[name].append(panel)
        for name, panels in unknown.items():
            yield _evidence(inventory, dashboard, name, panels)


def _unfilled(inventory: Inventory) -> Iterator[Evidence]:
    """Dashboards that a provider loads as they are, though only an import by hand would fill their inputs in."""
    servers = grafana.servers(inventory)
    for dashboard in inventory.dashboards:
        chosen = {item.name for item in dashboard.variables if item.kind != "input"}
        asked: defaultdict[str, list[Panel]] = defaultdict(list)
        for panel in dashboard.panels:
            match = _INPUT.fullmatch(panel.datasource)
            if match and match["name"] not in chosen:
                asked[panel.datasource].append(panel)
        for name, panels in asked.items() if grafana.loads(inventory, servers, dashboard) else ():
            yield _of_input(dashboard, name, panels)


def _unprovided(inventory: Inventory) -> Iterator[Evidence]:
    """The dashboards that Grafana loads from their files, where no file gives it any data source."""
    servers = grafana.servers(inventory)
    asking = [
        panel
        for dashboard in inventory.dashboards
        if grafana.loads(inventory, servers, dashboard)
        for panel in dashboard.panels
        if panel.datasource.lower() not in grafana.BUILT_IN and "$" not in panel.datasource
    ]
    if asking and not any(grafana.may_have_datasources(inventory, server) for server in servers):
        yield _of_none(asking)


def _of_none(asking: list[Panel]) -> Evidence:
    names = list(dict.fromkeys(panel.datasource for panel in asking))
    firsts = list({panel.location.file: panel.location for panel in reversed(asking)}.values())[::-1]
    return Evidence(
        f"{counted(len(firsts), 'provisioned dashboard')} {'asks' if len(firsts) == 1 else 'ask'} {listed(names)}, and "
        "no file provisions a data source: the panels stay empty, unless somebody adds it by hand.",
        firsts[0],
        subject="no-datasource",
        related=tuple(Related(place, "this dashboard asks it too", member=True) for place in firsts[1:8]),
        recommendation=f"Provision a data source with the `uid` {names[0]} in a file below "
        "`/etc/grafana/provisioning/datasources`.",
    )


def _of_input(dashboard: Dashboard, name: str, panels: list[Panel]) -> Evidence:
    return Evidence(
        f"{counted(len(panels), 'panel')} of the dashboard {dashboard.title} {'asks' if len(panels) == 1 else 'ask'} "
        f"{name}, which an import by hand fills in; Grafana loads it from its file and finds no such data source.",
        panels[0].location,
        subject=f"{dashboard.uid or dashboard.title}/{name}",
        related=tuple(
            Related(panel.location, f"the panel {panel.title} asks it too", member=True) for panel in panels[1:8]
        ),
        recommendation=f"Replace {name} in {dashboard.file} by the identifier of a data source, or make it a variable "
        "of the dashboard of the type `datasource`.",
    )


def _evidence(inventory: Inventory, dashboard: Dashboard, name: str, panels: list[Panel]) -> Evidence:
    kind = panels[0].datasource_type
    fitting = [item for item in inventory.datasources if kind in ("", item.type)] or list(inventory.datasources)
    offered = [item.uid or item.name for item in fitting]
    return Evidence(
        f"{counted(len(panels), 'panel')} of the dashboard {dashboard.title} "
        f"{'asks' if len(panels) == 1 else 'ask'} the data source {name}, which is not provisioned (there is "
        f"{listed(offered)}), unless somebody adds it by hand.",
        panels[0].location,
        subject=f"{dashboard.uid or dashboard.title}/{name}",
        related=(
            *(Related(item.location, f"the provisioned data source {item.name}") for item in fitting[:3]),
            *(Related(panel.location, f"the panel {panel.title} asks it too", member=True) for panel in panels[1:8]),
        ),
        recommendation=f"Replace {name} by {offered[0]} in {dashboard.file}.",
        change=(f'"uid": "{name}"', f'"uid": "{offered[0]}"') if len(offered) == 1 and fitting[0].uid else ("", ""),
    )
