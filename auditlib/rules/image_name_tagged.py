"""A step gives a tag where an action wants the name of an image alone.

docker/metadata-action appends its own tags to the names: `example/api:latest` becomes `example/api:latest:main`, which
no builder takes. An attestation's subject is told by its digest, and its name has no tag either.

Anti-pattern:

    - uses: docker/metadata-action@v5
      with: {images: "example/api:latest"}

Better:

    - uses: docker/metadata-action@v5
      with: {images: example/api, tags: "type=raw,value=latest"}

Recommendation:

    Write the name alone, and the tag under `tags`.

References:

- https://github.com/docker/metadata-action#inputs
- https://github.com/actions/attest-build-provenance#usage
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Pair, Step
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules._rule import Evidence, rule

_NAMES = {
    "docker/metadata-action": "images",
    "actions/attest-build-provenance": "subject-name",
    "actions/attest-sbom": "subject-name",
}
"""The input of each action that takes names without a tag."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every name with a tag that a step gives to such an action."""
    for job in inventory.jobs:
        for step in job.steps:
            action = step.uses.partition("@")[0]
            for given in (item for item in step.inputs if item.name == _NAMES.get(action)):
                yield from (_evidence(step, action, given, name) for name in _tagged(given))


def _tagged(given: Pair) -> Iterator[str]:
    """The names with a tag; in the form `name=example/api,enable=true` too."""
    for line in given.value.splitlines():
        name = line.partition(",")[0].strip().removeprefix("name=")
        if ":" in name.rpartition("/")[2] and "${{" not in name and "type=" not in line:
            yield name


def _evidence(step: Step, action: str, given: Pair, name: str) -> Evidence:
    bare = name.rpartition(":")[0]
    what = "appends its own tags to it" if given.name == "images" else "wants the name alone"
    return Evidence(
        f"The step {step.name or step.index + 1} of the job {step.job} gives {name} to {action}, which {what}.",
        given.location,
        subject=f"{action}/{name}",
        recommendation=f"Write {bare} in place of {name}.",
        change=(name, bare),
        example=f"with:\n  {given.name}: {bare}",
    )
