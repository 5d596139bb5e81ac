"""A workflow is no YAML, so that GitHub runs none of its jobs.

GitHub shows the mistake on the page of the runs and nowhere else: no check turns red on a pull request, and a
deployment that never ran looks like one that had nothing to do.

Anti-pattern:

    jobs:
      deploy:
        steps:
          - run: echo deploying: shop      # the second colon makes a mapping of the text

Better:

    jobs:
      deploy:
        steps:
          - run: 'echo deploying: shop'

Recommendation:

    Correct the line, and check workflows with actionlint before they are merged.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
- https://yaml.org/spec/1.2.2/
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Read, Severity
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every workflow that couldn't be read as YAML."""
    for entry in inventory.coverage:
        if entry.kind == "workflow" and entry.status is Read.FAILED and entry.reason.startswith("not valid YAML"):
            yield Evidence(
                f"{entry.file} is no YAML ({entry.reason.partition(': ')[2]}): GitHub refuses it, and none of its jobs "
                "runs.",
                Location(entry.file, entry.line),
                subject=entry.file,
                recommendation=f"Correct {entry.file} from line {entry.line} on, or from the one before it.",
                example=f"actionlint {shlex.quote(entry.file)}",
            )
