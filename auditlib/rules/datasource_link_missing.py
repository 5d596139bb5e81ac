"""A data source of Grafana leads to another one that doesn't exist.

From a line of a log to its trace, from a trace to its logs: such links name the other data source by its identifier.
Where none is provisioned with it, the button is there and opens nothing.

Anti-pattern:

    datasources:
      - name: Loki
        type: loki
        jsonData:
          derivedFields: [{name: TraceID, matcherRegex: 'trace_id=(\\w+)', datasourceUid: tempo}]
      - {name: Tempo, type: tempo, url: "http://tempo:3200"}      # without a uid of its own

Better:

    datasources:
      - name: Loki
        type: loki
        jsonData:
          derivedFields: [{name: TraceID, matcherRegex: 'trace_id=(\\w+)', datasourceUid: tempo}]
      - {name: Tempo, uid: tempo, type: tempo, url: "http://tempo:3200"}

Recommendation:

    Give each data source a `uid` of its own, and name that in the links.

References:

- https://grafana.com/docs/grafana/latest/datasources/loki/configure-loki-data-source/#derived-fields
- https://grafana.com/docs/grafana/latest/datasources/tempo/configure-tempo-data-source/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import grafana, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each data source with links to identifiers and names that no provisioned data source has."""
    if not any(item.links for item in inventory.datasources) or grafana.adds_sources(inventory):
        return
    known = grafana.names(inventory.datasources)
    for source in inventory.datasources:
        broken = [item for item in source.links if item[1] not in known and "$" not in item[1]]
        if broken and not monitoring.is_template(source.file):
            yield _evidence(inventory, source, broken)


def _evidence(inventory: Inventory, source: Datasource, broken: list[tuple[str, str, Location]]) -> Evidence:
    (_, uid, place), *others = broken
    fields = listed(dict.fromkeys(f"`{name}`" for name, *_ in broken))
    like = next((item for item in inventory.datasources if uid.lower() in (item.name.lower(), item.type)), None)
    lines = f"- name: {like.name if like else '<its name>'}\n  uid: {uid}"
    return Evidence(
        f"{source.name} of {source.file} leads by {fields} to the data source {uid}, and none is provisioned with that "
        "identifier: the links open nothing, unless somebody makes it by hand.",
        place,
        subject=f"{source.file}/{source.name}/{uid}",
        related=(
            *(Related(item, f"`{name}` leads to {other}", member=True) for name, other, item in others),
            *([Related(like.location, f"{like.name} has another identifier")] if like else []),
        ),
        recommendation=f"Give {like.name if like else 'the data source that is meant'} `uid: {uid}`.",
        example=files.into(
            like.file if like else source.file, f"datasources:\n  {lines.replace(chr(10), chr(10) + '  ')}"
        ),
    )
