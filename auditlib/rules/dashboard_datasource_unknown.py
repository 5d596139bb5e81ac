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
from auditlib.inventory.dashboards import Dashboard, Datasource, Panel
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_INPUT = regex(r"\$\{(?P<name>DS_\w+)\}")
"""How Grafana writes an input of a dashboard that is exported to be shared."""
_FILE = "grafana/provisioning/datasources/main.yaml"


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each dashboard the data sources that its panels name and that no provisioning file declares."""
    yield from _unfilled(inventory)
    known = grafana.names(inventory.datasources)
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


def _variable(name: str) -> str:
    """The input as a variable of the dashboard, which Grafana fills in by itself."""
    plain = name.strip("${}")
    return f'"templating": {{"list": [{{"name": "{plain}", "type": "datasource", "query": "<its type>"}}]}}'


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
        example=_variable(name),
    )


def _evidence(inventory: Inventory, dashboard: Dashboard, name: str, panels: list[Panel]) -> Evidence:
    kind = panels[0].datasource_type
    fitting = [item for item in inventory.datasources if grafana.is_of_type(item, kind)]
    shown = fitting or list(inventory.datasources)
    advice, lines, change = _mended(dashboard, name, kind, fitting)
    return Evidence(
        f"{counted(len(panels), 'panel')} of the dashboard {dashboard.title} "
        f"{'asks' if len(panels) == 1 else 'ask'} the data source {name}, which is not provisioned (there is "
        f"{listed(item.uid or item.name for item in shown)}{'' if fitting else f', none of the type {kind}'}), unless "
        "somebody adds it by hand.",
        panels[0].location,
        subject=f"{dashboard.uid or dashboard.title}/{name}",
        related=(
            *(Related(item.location, f"the provisioned data source {item.name}") for item in shown[:3]),
            *(Related(panel.location, f"the panel {panel.title} asks it too", member=True) for panel in panels[1:8]),
        ),
        recommendation=advice,
        change=change,
        example=lines,
    )


def _mended(dashboard: Dashboard, name: str, kind: str, fitting: list[Datasource]) -> tuple[str, str, tuple[str, str]]:
    """The advice, its lines and the edit, by what is provisioned of the kind that the panels ask."""
    file, nothing = dashboard.file, ("", "")
    if not fitting:
        url = f"http://<the host of {kind}>:<its port>"
        source = f"datasources:\n  - name: {kind}\n    type: {kind}\n    uid: {name}\n    url: {url}"
        return f"Provision a data source of the type {kind} with `uid: {name}`.", files.into(_FILE, source), nothing
    first = fitting[0]
    if kind and not any(item.uid for item in fitting):
        uid = first.type
        lines = f"datasources:\n  - name: {first.name}\n    uid: {uid}"
        asked = f'"datasource": {{"type": "{kind}", "uid": "{uid}"}}'
        advice = f"Give {first.name} a `uid` in {first.file}, and write it instead of {name} into {file}."
        return advice, f"{files.into(first.file, lines)}\n{files.into(file, asked)}", nothing
    offered = [item.uid or item.name for item in fitting]
    uid = offered[0] if len(offered) == 1 else f"<one of {listed(offered)}>"
    change = (f'"uid": "{name}"', f'"uid": "{offered[0]}"') if len(offered) == 1 and first.uid else nothing
    return f"Replace {name} by {offered[0]} in {file}.", f'"datasource": {{"uid": "{uid}"}}', change
