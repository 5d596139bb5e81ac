"""Grafana refuses a dashboard that it is provisioned with.

A provider wants the dashboard itself: its `title` stands on the top level of the file. What Grafana's API takes and
gives, `{"dashboard": {…}, "overwrite": true}`, has no title there. Grafana logs "Dashboard title cannot be empty" at
each look at the folder, and the dashboard never appears.

Anti-pattern:

    {"dashboard": {"title": "Orders", "panels": []}, "overwrite": true}

Better:

    {"title": "Orders", "panels": []}

Recommendation:

    Take the dashboard out of what stands around it, and look at Grafana's log after a start.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
- https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, grafana
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_RESOURCE = "spec"
"""What a dashboard stands below as a resource of Grafana's newer API, which its later releases may read from a file."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each Grafana and folder the dashboards without a title on the top level that a provider hands to it."""
    refused = [item for item in inventory.dashboards if item.below != _RESOURCE and (item.below or not item.title)]
    for server in grafana.servers(inventory) if refused else ():
        found: defaultdict[str, list[Dashboard]] = defaultdict(list)
        for item in refused:
            if _is_provided(inventory, server, item) and not _is_posted(inventory, server, item):
                found[item.file.rpartition("/")[0]].append(item)
        for folder, dashboards in found.items():
            yield _evidence(inventory, server, folder, dashboards)


def _is_provided(inventory: Inventory, server: Service, dashboard: Dashboard) -> bool:
    """Whether a provider that a server reads names a folder in which it finds the dashboard."""
    return any(grafana.sees(server, item.path, dashboard.file) for item in grafana.providers(inventory, server))


def _is_posted(inventory: Inventory, server: Service, dashboard: Dashboard) -> bool:
    """Whether another service is handed the very file, to send it to Grafana's API."""
    return any(
        mount.source == dashboard.file
        for other in inventory.services
        if other.key != server.key
        for mount in other.mounts
    )


def _evidence(inventory: Inventory, server: Service, folder: str, dashboards: list[Dashboard]) -> Evidence:
    first, *others = dashboards
    names = listed((item.file for item in dashboards), limit=4)
    only = len(dashboards) == len(inventory.dashboards)
    aside = environments.only_for_development(server)
    return Evidence(
        f"{server.name} is provisioned with {names}, and {_why(first)}: Grafana refuses "
        f'{"it" if not others else "them"} ("Dashboard title cannot be empty").',
        first.location,
        subject=f"{server.name}/{folder}",
        service=server.name,
        related=tuple(Related(item.location, _why(item), member=True) for item in others),
        recommendation=_advice(first),
        severity=Severity.LOW if aside else Severity.HIGH if only else None,
        example="\n".join(map(_mended, dashboards[:6])),
    )


def _why(dashboard: Dashboard) -> str:
    if dashboard.below:
        return f"all of the dashboard stands below `{dashboard.below}`, so that the top level has no `title`"
    return "its top level has no `title`"


def _advice(dashboard: Dashboard) -> str:
    if dashboard.below == "dashboard":
        return f"Keep only what stands below `dashboard` in {dashboard.file}."
    if dashboard.below:
        return f"Close `{dashboard.below}` in {dashboard.file} before the title, so that all else is on the top level."
    return f"Give {dashboard.file} a `title`."


def _mended(dashboard: Dashboard) -> str:
    """The command that brings the dashboard to the top level, or names it."""
    path = shlex.quote(dashboard.file)
    change = f"'.{dashboard.below}'" if dashboard.below else "'.title = \"<its name>\"'"
    return f"jq {change} {path} > {path}.new && mv {path}.new {path}"
