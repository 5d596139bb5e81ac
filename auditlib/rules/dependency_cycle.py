"""Services wait for each other in a circle.

`depends_on` says who starts first. In a circle nobody can, and Compose refuses the whole project with "dependency cycle
detected".

Anti-pattern:

    api:
      depends_on: [worker]
    worker:
      depends_on: [api]

Better:

    api:
      depends_on: [queue]
    worker:
      depends_on: [queue]

Recommendation:

    Take out the entry whose service can come up by itself and connect later; let it retry instead.

References:

- https://docs.docker.com/reference/compose-file/services/#depends_on
- https://docs.docker.com/compose/how-tos/startup-order/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import Cycle, DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every circle of declared dependencies between services."""
    for cycle in graph.cycles():
        if all(link.verb == "depends_on" for link in cycle.links):
            yield _evidence(graph, cycle)


def _evidence(graph: DependencyGraph, cycle: Cycle) -> Evidence:
    names = [graph.nodes[node]["name"] for node in cycle.nodes]
    first, *others = cycle.links
    files = list(dict.fromkeys(link.location.file for link in cycle.links))
    apart = [file for file in files if "override" not in file][1:]
    where = f" where {listed(files)} are used together" if apart else ""
    outer = {link.dependent for link in cycle.further}.difference(cycle.nodes)
    named = listed(graph.nodes[node]["name"] for node in sorted(outer))
    more = f" {named} {'wait' if len(outer) > 1 else 'waits'} in a further circle with them." if outer else ""
    return Evidence(
        f"{' waits for '.join([*names, names[0]])}: Compose refuses to start any of them{where}.{more}",
        first.location,
        subject="/".join(sorted(names)),
        service=names[0],
        related=tuple(
            Related(
                link.location, f"{graph.nodes[link.dependent]['name']} waits for {graph.nodes[link.needed]['name']}"
            )
            for link in (*others, *cycle.further)
        ),
        recommendation=f"Remove one of the entries, for instance {names[-1]}'s dependency on {names[0]}.",
        confidence=Confidence.MEDIUM if apart else None,
        example=f"{names[-1]}:\n  depends_on:\n    # without {names[0]}, to which it connects again later",
    )
