"""A function ends with a condition, and the script under `set -e` with the function.

`[ -n "$PORT" ] && open "$PORT"` is harmless in the middle of a function. As its last line it is the function's status:
where the condition doesn't hold, the call counts as a failure, and `set -e` ends the script there, without a word.

Anti-pattern:

    set -e
    open_ports() {
      ufw allow 9100/tcp
      $WITH_DOCKER && ufw allow 8080/tcp
    }
    open_ports
    echo "done"

Better:

    open_ports() {
      ufw allow 9100/tcp
      if $WITH_DOCKER; then ufw allow 8080/tcp; fi
    }

Recommendation:

    Write the last condition of a function as an `if`, whose status is a success where it doesn't hold.

References:

- https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html
- https://www.gnu.org/software/bash/manual/html_node/Shell-Functions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Script
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each script with such functions."""
    for script in inventory.scripts:
        if script.ends_at_condition:
            yield _evidence(script)


def _evidence(script: Script) -> Evidence:
    first, *others = script.ends_at_condition
    condition, _, then = first.value.partition("&&")
    return Evidence(
        f"{first.name} of {script.path} ends with `{first.value[:80]}`: where the condition doesn't hold, the call of "
        f"{first.name} counts as a failure, and `set -e` ends the script without a word.",
        first.location,
        subject=f"{script.path}/{first.name}",
        related=tuple(Related(item.location, f"{item.name} ends so too", member=True) for item in others),
        recommendation=f"Write the last condition of {first.name} as an `if`.",
        example=files.into(script.path, f"if {condition.strip()}; then {then.strip()}; fi"),
    )
