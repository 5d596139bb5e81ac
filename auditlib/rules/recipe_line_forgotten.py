"""A line of a recipe changes a shell that ends with the line.

Make starts a shell of its own for each line of a recipe. A `cd`, an `export` or a sourced `activate` on a line by
itself has no effect on the next one, which runs in the makefile's folder, without the variable and with the system's
Python.

Anti-pattern:

    test:
        cd backend
        pytest

Better:

    test:
        cd backend && pytest

Recommendation:

    Join the lines by `&&`, or say `.ONESHELL:`.

References:

- https://www.gnu.org/software/make/manual/html_node/Execution.html
- https://www.gnu.org/software/make/manual/html_node/One-Shell.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import RecipeFault
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each makefile with such lines."""
    makefiles: defaultdict[str, list[RecipeFault]] = defaultdict(list)
    for item in inventory.recipe_faults:
        if item.kind == "forgotten":
            makefiles[item.location.file].append(item)
    for path, found in makefiles.items():
        yield _evidence(path, found)


def _evidence(path: str, found: list[RecipeFault]) -> Evidence:
    first, *others = found
    lost = "runs where the makefile is" if first.text.startswith(("cd", "pushd")) else "knows nothing of it"
    return Evidence(
        f"{first.target} of {path} says `{first.text}` on a line by itself: each line of a recipe has its own shell, "
        f"and the next {lost}.",
        first.location,
        subject=f"{path}/{first.target}",
        related=tuple(Related(item.location, f"`{item.text}` has no effect either", member=True) for item in others),
        recommendation=f"Join the line to the next by `&&` in {first.target} of {path}.",
        example=files.into(path, f"{first.target.split(',')[0]}:\n\t{first.text} && <the next line>"),
    )
