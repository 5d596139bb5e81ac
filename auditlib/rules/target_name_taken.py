"""A target of make does nothing, since a file or folder has its name.

Make takes a target for a file to be made, unless `.PHONY` says otherwise. Where `test/` or `docs/` is a folder and the
target needs nothing, make answers "'test' is up to date" and runs none of its lines.

Anti-pattern:

    # beside the folder test/
    test:
        pytest

Better:

    .PHONY: test
    test:
        pytest

Recommendation:

    Name the target in `.PHONY`.

References:

- https://www.gnu.org/software/make/manual/html_node/Phony-Targets.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import RecipeFault
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each makefile with such targets."""
    makefiles: defaultdict[str, list[RecipeFault]] = defaultdict(list)
    for item in inventory.recipe_faults:
        if item.kind == "taken":
            makefiles[item.location.file].append(item)
    for path, found in makefiles.items():
        yield _evidence(inventory, path, found)


def _evidence(inventory: Inventory, path: str, found: list[RecipeFault]) -> Evidence:
    first, *others = found
    names = [item.target for item in found]
    called = any(
        command.words[:1] == ("make",) and set(command.words) & set(names)
        for step in inventory.steps
        for command in step.commands
    )
    return Evidence(
        f"`make {first.target}` does nothing: {first.text} is there, and {path} doesn't say that "
        f"{listed(names)} {'is no file' if len(names) == 1 else 'are no files'}.",
        first.location,
        subject=path,
        related=tuple(Related(item.location, f"{item.text} is there too", member=True) for item in others),
        severity=Severity.MEDIUM if called else None,
        recommendation=f"Name {listed(names)} in `.PHONY` of {path}.",
        example=files.into(path, f".PHONY: {' '.join(names)}"),
    )
