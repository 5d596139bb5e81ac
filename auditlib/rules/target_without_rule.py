"""A makefile declares a target that it has no rule for.

Make takes a name in `.PHONY` for a target that is there. Where its rule was renamed, removed or never written, `make
backup` says "Nothing to be done" and succeeds: whoever calls it, or the pipeline that does, takes the work for done.

Anti-pattern:

    .PHONY: test backup
    test:
        pytest

Better:

    .PHONY: test backup
    test:
        pytest
    backup:
        ./scripts/backup.sh

Recommendation:

    Write the rule, or take the name out of `.PHONY`, so that a call fails.

References:

- https://www.gnu.org/software/make/manual/html_node/Phony-Targets.html
- https://www.gnu.org/software/make/manual/html_node/Rules-without-Recipes.html
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import told_commands
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import RecipeFault
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_SHOWN = 4


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each makefile with such names, and who calls them."""
    makefiles: defaultdict[str, list[RecipeFault]] = defaultdict(list)
    for item in inventory.recipe_faults:
        if item.kind == "absent":
            makefiles[item.location.file].append(item)
    for path, found in makefiles.items():
        yield _evidence(path, found, _calls(inventory, path, {item.target for item in found}))


def _calls(inventory: Inventory, path: str, names: set[str]) -> list[tuple[str, Location]]:
    """The names that something calls, and where; of several makefiles those beside which the call stands."""
    alone = sum(item.kind == "make" for item in inventory.manifests) == 1
    home = posixpath.dirname(path)
    return [
        (word, told.location)
        for told in told_commands.everywhere(inventory)
        if told.words[:1] == ("make",) and (alone or posixpath.dirname(told.location.file) == home)
        for word in told.words[1:]
        if word in names
    ]


def _evidence(path: str, found: list[RecipeFault], calls: list[tuple[str, Location]]) -> Evidence:
    names = list(dict.fromkeys(item.target for item in found))
    first = calls[0][0] if calls else names[0]
    one = len(names) == 1
    return Evidence(
        f"{path} names {listed(names, limit=_SHOWN)} in `.PHONY` and has no rule for {'it' if one else 'them'}: "
        f"`make {first}` does nothing and succeeds.",
        found[0].location,
        subject=path,
        related=tuple(Related(place, f"calls {name}") for name, place in calls[:_SHOWN]),
        severity=Severity.MEDIUM if calls else None,
        recommendation=f"Write the rule{'' if one else 's'} for {listed(names, limit=_SHOWN)} in {path}, or take the "
        f"name{'' if one else 's'} out of `.PHONY`.",
        example=files.into(path, f"{first}:\n\t<the command that does this>"),
    )
