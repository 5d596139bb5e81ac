"""A data source of Grafana is given fields of another version of the format.

Grafana reads a provisioning file by its `apiVersion`: with 1 it knows `isDefault` and `jsonData`, without one
`is_default` and `json_data`. Fields of the other version are passed over without a word.

Anti-pattern:

    apiVersion: 1
    datasources:
      - name: Prometheus
        type: prometheus
        url: http://prometheus:9090
        is_default: true        # not read: there is no default

Better:

    apiVersion: 1
    datasources:
      - name: Prometheus
        type: prometheus
        url: http://prometheus:9090
        isDefault: true

Recommendation:

    Write `apiVersion: 1` and the names that Grafana documents.

References:

- https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dashboards import Datasource
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file whose data sources have fields that only the other version of the format knows."""
    found: defaultdict[str, list[Datasource]] = defaultdict(list)
    for item in inventory.datasources:
        if item.foreign_fields:
            found[item.file].append(item)
    for file, items in found.items():
        yield _evidence(file, items)


def _evidence(file: str, items: list[Datasource]) -> Evidence:
    (_, place), *others = [field for item in items for field in item.foreign_fields]
    names = list(dict.fromkeys(name for item in items for name, _ in item.foreign_fields))
    older = any("_" in name for name in names)
    why = "apiVersion 1 doesn't have" if older else "the format without an `apiVersion` doesn't have"
    better = listed(f"{_camel(name)} in place of {name}" for name in names[:3])
    step = f"Write {better}" if older else "Add apiVersion: 1"
    return Evidence(
        f"Grafana passes over {listed(names)} of {listed(item.name for item in items)}, which {why}.",
        place,
        subject="/".join(names),
        related=tuple(Related(other, f"{name} isn't read either", member=True) for name, other in others),
        recommendation=f"{step} in {file}.",
        example=files.into(file, "apiVersion: 1\n" + "\n".join(f"{_camel(name)}: <as it is>" for name in names)),
    )


def _camel(name: str) -> str:
    """`is_default` as version 1 writes it."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
