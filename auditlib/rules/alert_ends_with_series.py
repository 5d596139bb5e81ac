"""An alert on a container that is gone ends by itself, while it is still gone.

cAdvisor has series of the containers that run. When one ends, its `container_last_seen` stays for as long as Prometheus
looks back, five minutes at the most, and then there is none: `time() - container_last_seen > 60` holds for the few
minutes between, the alert is taken for resolved after them, and with a longer wait it never fires.

Anti-pattern:

    - alert: ContainerDown
      expr: time() - container_last_seen{name!=""} > 60

Better:

    - alert: ContainerDown
      expr: absent(container_last_seen{name="api"})
      for: 1m

Recommendation:

    Ask for each container that has to run by `absent`, or for the targets by `up == 0`.

References:

- https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
- https://prometheus.io/docs/prometheus/latest/querying/functions/#absent
- https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import environments, monitoring
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_AGE = regex(
    r"time\(\)\s*-\s*\(?\s*(?:(?:max|min|avg)\s*(?:by\s*\([^()]{0,200}\)\s*)?\(\s*)?container_last_seen"
    r"(?:\{[^{}]{0,500}\})?[\s)]*(?:by\s*\([^()]{0,200}\)\s*)?>=?\s*(?P<age>\d{1,6})\b"
)
_LOOKS_BACK = 300
"""Seconds for which Prometheus takes the last value of a series that has ended, unless it is told otherwise."""
_PART = regex(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every alert on how long ago cAdvisor saw a container."""
    for alert in monitoring.alerts(inventory):
        if found := _AGE.search(alert.query.expression):
            yield _evidence(inventory, alert, int(found["age"]))


def _seconds(text: str) -> int:
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _container(inventory: Inventory) -> str:
    """The name of a container that has to run, where a Compose file gives one."""
    found = (
        item.container_name
        for item in inventory.distinct_services
        if item.container_name and "$" not in item.container_name and not environments.only_for_development(item)
    )
    return next(found, "<a container that has to run>")


def _evidence(inventory: Inventory, alert: AlertRule, age: int) -> Evidence:
    never = age + _seconds(alert.duration) >= _LOOKS_BACK
    then = (
        f"and {alert.name} asks for {age}s{f' and waits {alert.duration}' if alert.duration else ''}: it never fires"
        if never
        else f"so that {alert.name} is taken for resolved then, while the container is still gone"
    )
    name = _container(inventory)
    waits = f"\n  for: {alert.duration}" if alert.duration else ""
    return Evidence(
        f"The container_last_seen of a container that is gone is there for five minutes at the most, {then}.",
        alert.expression_location,
        subject=alert.name,
        recommendation=f"Ask by `absent` for each container that has to run, in {alert.file}.",
        severity=Severity.HIGH if never else None,
        example=files.into(
            alert.file, f'- alert: {alert.name}\n  expr: absent(container_last_seen{{name="{name}"}}){waits}'
        ),
    )
