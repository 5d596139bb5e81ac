"""An alert divides by the memory limit of containers that have none.

cAdvisor gives `container_spec_memory_limit_bytes` as 0 for a container without a limit. Each number divided by it is
infinite and greater than any bound: the alert fires for these containers from the first day on, whatever they use,
until somebody silences it, those with a limit included.

Anti-pattern:

    expr: container_memory_usage_bytes{name!=""} / container_spec_memory_limit_bytes{name!=""} > 0.9

Better:

    expr: container_memory_usage_bytes{name!=""} / (container_spec_memory_limit_bytes{name!=""} > 0) > 0.9

Recommendation:

    Take only limits above 0 in the alert, and give the services a limit.

References:

- https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
- https://docs.docker.com/reference/compose-file/deploy/#memory
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments, exporters, monitoring, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.monitoring import AlertRule
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_LIMIT = "container_spec_memory_limit_bytes"
_GUARDED = regex(rf"{_LIMIT}\s{{0,50}}(?:\{{[^}}]{{0,300}}\}})?[\s)]{{0,50}}(?:>|!=)\s{{0,50}}0(?![\d.])")
_BELOW_INFINITE = regex(r"(?:!=|<=?)\s*\(?\s*\+?(?:Inf\b|\d)", re.I)
"""What takes an infinite share out, or shares above some bound."""
_ABOVE = regex(r">=?\s*(?:bool\s*)?[\d.]+")
_OF_CONTAINER = frozenset({"name", "container", "container_name", "id", "image"})
"""Labels by which an alert may ask for some of the containers."""


@rule(area=Area.MONITORING, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each rule file with such alerts, where cAdvisor watches services without a limit."""
    running = [item for mine in stacks.lasting(inventory).values() for item in mine]
    free = [item for item in running if not _is_limited(inventory, item)]
    if not free or not any(_is_cadvisor(item) for item in inventory.services):
        return
    found: defaultdict[str, list[AlertRule]] = defaultdict(list)
    for item in monitoring.alerts(inventory):
        if _divides(item) and (_asks_all(item) or len(free) == len(running)):
            found[item.file].append(item)
    for file, alerts in found.items():
        yield _evidence(file, alerts, free)


def _is_limited(inventory: Inventory, service: Service) -> bool:
    return stacks.somewhere(inventory, service, lambda item: bool(item.memory_limit))


def _is_cadvisor(service: Service) -> bool:
    found = exporters.of_image(service.image)
    return found is not None and found.name == "cAdvisor" and not environments.only_for_development(service)


def _divides(item: AlertRule) -> bool:
    """Whether an alert asks for a great share of the limit, and takes a limit of 0 as well."""
    text = item.query.expression
    shares = any(ratio.right == _LIMIT for ratio in item.query.ratios)
    return shares and not (_GUARDED.search(text) or _BELOW_INFINITE.search(text)) and bool(_ABOVE.search(text))


def _asks_all(item: AlertRule) -> bool:
    """Whether an alert asks for all containers: it names none, or only wants them to have a name."""
    chosen = (each for each in item.query.matchers if each.name in _OF_CONTAINER)
    return all((each.operator, each.value) in {("!=", ""), ("=~", ".+")} for each in chosen)


def _evidence(file: str, alerts: list[AlertRule], free: list[Service]) -> Evidence:
    first, *others = alerts
    names = listed(dict.fromkeys(item.name for item in alerts))
    return Evidence(
        f"{names} of {file} {'divides' if not others else 'divide'} by {_LIMIT}, which is 0 for a container without a "
        f"limit, such as {listed((item.name for item in free), limit=3)}: the share is infinite, and the alert fires "
        "for it all the time.",
        first.expression_location,
        subject=f"{file}/{names}",
        related=(
            *(Related(item.expression_location, f"{item.name} does so too", member=True) for item in others),
            Related(free[0].location, f"{free[0].name} has no memory limit"),
        ),
        recommendation=f"Divide by `({_LIMIT} > 0)` in {file}.",
        confidence=None if any(map(_asks_all, alerts)) else Confidence.MEDIUM,
        change=(_LIMIT, f"({_LIMIT} > 0)") if f"{_LIMIT}{{" not in first.query.expression else ("", ""),
        example=files.into(file, f"<usage> / ({_LIMIT}{{<the same labels>}} > 0) > <share>"),
    )
