"""A test for "healthy" is met by "unhealthy".

The word holds the other one: `grep healthy` finds it in "unhealthy", too. A deployment that waits so goes on with a
container that fails its check, and a report of the containers says that all is well.

Anti-pattern:

    until docker inspect --format '{{.State.Health.Status}}' api | grep -q healthy; do sleep 2; done

Better:

    until docker inspect --format '{{.State.Health.Status}}' api | grep -qx healthy; do sleep 2; done

Recommendation:

    Compare the whole word: `grep -w`, `[ "$state" = healthy ]`, `-eq "healthy"`.

References:

- https://docs.docker.com/reference/dockerfile/#healthcheck
- https://docs.docker.com/reference/cli/docker/inspect/
- https://www.gnu.org/software/grep/manual/grep.html#Matching-Control
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib import health_states
from auditlib.conventions import environments
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script and workflow with such tests."""
    places: defaultdict[str, list[Location]] = defaultdict(list)
    for script in inventory.scripts:
        places[script.path] += script.healthy_tests
    for step in inventory.steps:
        if any(health_states.taken(step.run)):
            places[step.workflow].append(step.location)
    for file, found in places.items():
        if found:
            yield _evidence(file, list(dict.fromkeys(found)))


def _evidence(file: str, found: list[Location]) -> Evidence:
    whole = '-eq "healthy"' if file.endswith(".ps1") else "grep -w healthy"
    return Evidence(
        f"{file} tests for the word healthy, which unhealthy holds as well: a container that fails its check passes.",
        found[0],
        subject=file,
        related=tuple(Related(place, "here as well", member=True) for place in found[1:]),
        recommendation=f"Compare the whole word, as by `{whole}`.",
        severity=Severity.LOW if environments.is_for_development(file) else None,
        example=files.into(file, whole),
    )
