"""Jobs are to be tried again by a rule that no worker knows.

With `backoff: { type: "custom" }` BullMQ asks the worker for the time to wait. A Worker without
`settings.backoffStrategy` fails there instead: a job that failed once, for a reason that would have passed, isn't tried
again.

Anti-pattern:

    await queue.add("pay", data, { attempts: 5, backoff: { type: "custom" } });
    new Worker("pay", handle, { connection });

Better:

    new Worker("pay", handle, { connection, settings: { backoffStrategy: (made) => 1000 * 2 ** made } });

Recommendation:

    Give every Worker of such jobs the strategy, or use the types `fixed` and `exponential`, which BullMQ knows.

References:

- https://docs.bullmq.io/guide/retrying-failing-jobs#custom-back-off-strategies
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import code_traits
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Severity
from auditlib.rules import _code_uses as code_uses
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """The jobs with a custom back-off in a repository whose code names no strategy for it."""
    kinds = {item.kind for item in inventory.code_traits}
    if "custom backoff" not in kinds or "backoff strategy" in kinds:
        return
    traits = [item for item in inventory.code_traits if item.kind == "custom backoff"]
    uses = [code_traits.Use(item, ()) for item in traits]
    file = traits[0].location.file
    yield Evidence(
        "Jobs are to be tried again with `backoff: { type: 'custom' }`, and no Worker of BullMQ is given a "
        "`backoffStrategy`: the second try of each fails.",
        traits[0].location,
        subject="bullmq/backoff",
        related=code_uses.members(uses, "jobs of this kind, too"),
        recommendation=f"Use the type `exponential` in {file}, or give each Worker settings.backoffStrategy.",
        example=files.into(file, "backoff: { type: 'exponential', delay: 1000 }"),
    )
