"""A route of Alertmanager leads to a receiver that is not defined.

Alertmanager refuses such a configuration: it doesn't start, or keeps the previous one after a reload. Either way the
alerts that the route is for reach nobody.

Anti-pattern:

    route:
      receiver: team-chat
    receivers:
      - name: team-mail

Better:

    route:
      receiver: team-mail
    receivers:
      - name: team-mail

Recommendation:

    Define the receiver, or correct its name in the route; `amtool check-config` finds such faults before a deployment.

References:

- https://prometheus.io/docs/alerting/latest/configuration/#route
- https://prometheus.io/docs/alerting/latest/configuration/#receiver
"""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.alerting import Route
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.MONITORING, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each receiver that routes of a file name and the file doesn't define, once."""
    defined: defaultdict[str, set[str]] = defaultdict(set)
    for receiver in inventory.receivers:
        defined[receiver.file].add(receiver.name)
    missing: defaultdict[tuple[str, str], list[Route]] = defaultdict(list)
    for route in inventory.alert_routes:
        unknown = route.receiver and route.receiver not in defined[route.file]
        if unknown and not monitoring.is_template(route.file, route.receiver):
            missing[route.file, route.receiver].append(route)
    for (file, name), routes in missing.items():
        yield Evidence(
            f"A route leads to the receiver {name}, which {file} doesn't define "
            f"(it has {listed(sorted(defined[file])) or 'none'}).",
            routes[0].location,
            subject=name,
            related=tuple(Related(route.location, "this route leads there too", member=True) for route in routes[1:]),
            recommendation=f"Define a receiver {name} in {file}, or let the route name an existing one.",
            change=_near(name, defined[file]),
            example=files.into(
                file,
                f"receivers:\n  - name: {name}\n    email_configs:\n      - to: <who is to be told>\n"
                "        from: <sender>\n        smarthost: <mail server>:587",
            ),
        )


def _near(name: str, known: set[str]) -> tuple[str, str]:
    """The only receiver whose name is nearly the same."""
    near = difflib.get_close_matches(name, sorted(known), n=2, cutoff=0.8)
    return (name, near[0]) if len(near) == 1 else ("", "")
