"""Make replaces what was meant for the shell.

In a recipe `$` is make's own sign: `$HOME` is the variable `H` and the letters `OME`, and `$(docker ps -q)` a variable
of that name, which nothing sets. The shell gets `OME`, or nothing at all: `docker rm $(docker ps -q)` calls `docker rm`
without a container.

Anti-pattern:

    clean:
        docker rm -f $(docker ps -aq --filter name=shop)
        rm -rf $HOME/.cache/shop

Better:

    clean:
        docker rm -f $$(docker ps -aq --filter name=shop)
        rm -rf $$HOME/.cache/shop

Recommendation:

    Write `$$` where the shell is to see a `$`.

References:

- https://www.gnu.org/software/make/manual/html_node/Variables-in-Recipes.html
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
    """Each makefile with such words."""
    makefiles: defaultdict[str, list[RecipeFault]] = defaultdict(list)
    for item in inventory.recipe_faults:
        if item.kind == "swallowed":
            makefiles[item.location.file].append(item)
    for path, found in makefiles.items():
        yield _evidence(path, found)


def _evidence(path: str, found: list[RecipeFault]) -> Evidence:
    first, *others = found
    rest = first.text[2:] if first.text[1:2] != "(" else ""
    gets = f"`{rest}`" if rest else "nothing"
    return Evidence(
        f"{first.target} of {path} says `{first.text[:60]}`, which make replaces: the shell gets {gets}.",
        first.location,
        subject=f"{path}/{first.target}",
        related=tuple(Related(item.location, f"`{item.text[:60]}` is replaced too", member=True) for item in others),
        recommendation=f"Write `${first.text[:40]}` in {first.target} of {path}.",
        example=files.into(path, f"{first.target.split(',')[0]}:\n\t<the command> ${first.text}"),
    )
