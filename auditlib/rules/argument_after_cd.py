"""A script looks for the file that it was given in another folder.

It changes into its own folder first and opens its argument then. A relative path was meant from where the script was
called: the file isn't found, often after services have been stopped for it.

Anti-pattern:

    # deploy/restore.sh, called by: ./deploy/restore.sh deploy/backups/shop.dump
    cd "$(dirname "$0")"
    docker compose exec -T db pg_restore -d shop < "$1"

Better:

    file="$(realpath "$1")"
    cd "$(dirname "$0")"
    docker compose exec -T db pg_restore -d shop < "$file"

Recommendation:

    Make the path absolute before the script changes its folder.

References:

- https://man7.org/linux/man-pages/man1/realpath.1.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import MovedArgument, Script
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ELSEWHERE = ("/", "~", "$", "-", "<", "`", '"', "'")


@rule(area=Area.RESILIENCE, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each script that a document, or its own comment, calls from the root with a relative path."""
    for script in inventory.scripts:
        moved = script.moved_argument
        if moved and moved.folder not in ("", "."):
            told = _told(inventory, script, moved)
            if told:
                yield _evidence(script, moved, *told)


def _told(inventory: Inventory, script: Script, moved: MovedArgument) -> tuple[str, Location] | None:
    """The relative path with which the script is called from the root, and where."""
    for item in deployment.documented_commands(inventory):
        words = item.text.split()
        for word, after in itertools.pairwise(words):
            if word.removeprefix("./") == script.path and not after.startswith(_ELSEWHERE):
                return after, item.location
    return (moved.told, script.location) if moved.told.startswith(f"{moved.folder}/") else None


def _evidence(script: Script, moved: MovedArgument, told: str, place: Location) -> Evidence:
    name = "its argument" if moved.name == "1" else f"`${moved.name}`"
    return Evidence(
        f"{script.path} changes into {moved.folder}/ and opens {name} then: called with {told}, it looks for "
        f"{moved.folder}/{told}.",
        moved.location,
        subject=script.path,
        related=(Related(place, f"called with {told}"),),
        recommendation=f"Make the path absolute in {script.path} before it changes its folder.",
        example=files.into(script.path, 'file="$(realpath "$1")"  # before the `cd`'),
    )
