"""A script under `set -e` counts from zero and ends there.

`((attempt++))` has the value of the variable before it grows. That is zero the first time, and bash takes a zero for a
failure: with `set -e` the script ends at the first round of its loop, without a word.

Anti-pattern:

    set -e
    attempt=0
    until curl -fs localhost:8080/health; do
      ((attempt++))
      sleep 2
    done

Better:

    attempt=$((attempt + 1))

Recommendation:

    Assign the sum, whose status is always success.

References:

- https://www.gnu.org/software/bash/manual/html_node/Conditional-Constructs.html
- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script with such a line."""
    for script in inventory.scripts:
        if script.ends_at_zero:
            first, *others = script.ends_at_zero
            yield Evidence(
                f"{script.path} counts from 0 by `((…++))` under `set -e`: the value is 0 the first time, which bash "
                "takes for a failure, and the script ends there.",
                first,
                subject=script.path,
                related=tuple(Related(place, "ends the script too", member=True) for place in others),
                recommendation=f"Write `name=$((name + 1))` in place of `((name++))` in {script.path}.",
                example=files.into(script.path, "<name>=$((<name> + 1))"),
            )
