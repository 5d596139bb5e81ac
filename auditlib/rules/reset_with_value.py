"""A value stands behind `!reset`, which takes away what it belongs to, the value included.

`!reset` removes a part of a service from the merged files, whatever is written behind it. Ports that were to be bound
to 127.0.0.1 aren't published at all, volumes that were to hold the data aren't mounted, and what the application
writes is gone with its container. Compose says nothing of it.

Anti-pattern:

    # compose.prod.yaml
    api:
      volumes: !reset
        - media:/app/media

Better:

    api:
      volumes: !override
        - media:/app/media

Recommendation:

    Write `!override` where a value is to take the place of the other, and `!reset []` where nothing is to be left.

References:

- https://docs.docker.com/reference/compose-file/merge/#reset-value
- https://docs.docker.com/reference/compose-file/merge/#replace-value
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.merging import ResetValue
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_FELT = frozenset({"ports", "volumes", "environment", "command", "entrypoint", "networks"})
"""Without which a service isn't reached, forgets its data or doesn't start as it should."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each file with all parts of services that are taken away with a value behind the tag."""
    found: defaultdict[str, dict[object, ResetValue]] = defaultdict(dict)
    for item in inventory.reset_values:
        found[item.location.file][item.location] = item
    for file, items in found.items():
        yield _evidence(file, sorted(items.values(), key=lambda item: item.key != "volumes"))


def _evidence(file: str, items: list[ResetValue]) -> Evidence:
    first, *others = items
    names = listed(f"{item.key} of {item.service}" for item in items)
    mounted = any(item.key == "volumes" for item in items)
    lost = ": no volume is mounted there, and what is written is lost with the container" if mounted else ""
    felt = any(item.key in _FELT for item in items) and not environments.is_for_development(file)
    return Evidence(
        f"{file} writes a value behind `!reset` for {names}; Compose takes the tag for a removal and passes over the "
        f"value{lost}.",
        first.location,
        subject=f"{file}/reset",
        service=first.service if len({item.service for item in items}) == 1 else None,
        related=tuple(Related(item.location, f"{item.key} of {item.service} goes too", member=True) for item in others),
        recommendation=f"Write `!override` in place of `!reset` in {file} where a value stands behind it.",
        severity=Severity.HIGH if felt else Severity.LOW if environments.is_for_development(file) else None,
        change=("!reset", "!override"),
        example=files.into(file, f"{first.service}:\n  {first.key}: !override\n    <what stands there>"),
    )
