"""Grafana finds a dashboard twice, and updates none of its folder any more.

Each provisioned dashboard needs an identifier of its own, and a title of its own in its folder. Where one stands twice,
in a copied file or because two providers read one folder, Grafana logs a warning and takes the right to write from the
whole provider: what is changed in the files never arrives.

Anti-pattern:

    dashboards/api.json         # "uid": "api"
    dashboards/api-copy.json    # "uid": "api"

Better:

    dashboards/api-copy.json    # "uid": "api-details", "title": "Api, details"

Recommendation:

    Give each dashboard an identifier and a title of its own, and each folder one provider.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
- https://github.com/grafana/grafana/blob/main/pkg/services/provisioning/dashboards/validator.go
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import grafana, mounts
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Dashboard, DashboardProvider
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_Read = tuple[DashboardProvider, Dashboard]


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """What one Grafana reads twice: by two providers, or in two files with one identifier or one title."""
    seen: set[Location] = set()  # an overlay has the server of its base again
    for server in grafana.servers(inventory):
        read = list(_read(inventory, server))
        twice = _twice(read)
        if twice and twice[1][1].location not in seen:
            seen.add(twice[1][1].location)
            yield _of_provider(twice) if twice[0][1] is twice[1][1] else _of_files(twice)


def _read(inventory: Inventory, server: Service) -> Iterator[_Read]:
    """Each dashboard with each provider of a server that reads it."""
    seen = [(item, path) for item in inventory.dashboards if (path := mounts.path_inside(server, item.file))]
    for provider in grafana.providers(inventory, server):
        if provider.path.startswith("/") and "$" not in provider.path:
            yield from ((provider, item) for item, path in seen if mounts.is_below(path, provider.path))


def _twice(read: list[_Read]) -> list[_Read]:
    """The first group that shares an identifier, or a title in one folder of one provider."""
    groups: defaultdict[tuple[str, ...], list[_Read]] = defaultdict(list)
    for provider, dashboard in read:
        if dashboard.uid:
            groups["uid", provider.organisation, dashboard.uid].append((provider, dashboard))
        folder = dashboard.file.rpartition("/")[0]
        if dashboard.title:
            groups["title", provider.file, provider.name, folder, dashboard.title].append((provider, dashboard))
    return next((items for items in groups.values() if len(items) > 1), [])


def _of_provider(twice: list[_Read]) -> Evidence:
    (first, dashboard), (second, _), *_ = twice
    return Evidence(
        f"The providers {first.name} and {second.name} both read {dashboard.file}: Grafana takes that for a duplicate, "
        "and changes to the files of both never arrive.",
        second.location,
        subject=f"{first.name}/{second.name}",
        related=(Related(first.location, f"{first.name} reads {first.path}"),),
        recommendation=f"Give {first.name} and {second.name} folders of which none lies in the other.",
        example=files.into(second.file, f"options: {{path: {second.path}/<a folder of its own>}}"),
    )


def _of_files(twice: list[_Read]) -> Evidence:
    _, first = twice[0]
    _, second = twice[1]
    beside = first.file.rpartition("/")[0] == second.file.rpartition("/")[0]
    keys = ["uid"] if first.uid and first.uid == second.uid else []
    keys += ["title"] if first.title and first.title == second.title and (beside or not keys) else []
    words = {"uid": f"the identifier {first.uid}", "title": f"the title {first.title}"}
    shared = listed(words[key] for key in keys)
    return Evidence(
        f"{counted(len(twice), 'dashboard')} have {shared} ({listed(item.file for _, item in twice)}): Grafana no "
        "longer updates what this provider reads.",
        second.location,
        subject=words[keys[0]],
        related=tuple(Related(item.location, f"has {shared} too") for _, item in twice if item is not second),
        recommendation=f"Give {second.file} another {' and another '.join(keys)}, or remove the older of both.",
        example=files.into(second.file, "\n".join(f'"{key}": "<another one>"' for key in keys)),
    )
