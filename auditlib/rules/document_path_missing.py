"""A document names a file that the repository lacks.

Who looks for the workflow, the script or the configuration that the document speaks of finds nothing, and can't know
whether it was renamed, removed or never written. What the document says of it is done by nobody.

Anti-pattern:

    # README.md, in a repository without that workflow
    Each push is deployed by `.github/workflows/deploy.yml`.

Better:

    Each push is tested by `.github/workflows/ci.yml`; `scripts/deploy.sh` brings it to the host.

Recommendation:

    Name the file as it is called now, add it, or take the sentence out.

References:

- https://www.writethedocs.org/guide/writing/docs-principles/
"""

from __future__ import annotations

import posixpath
import shlex
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import script_names
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import AbsentPath
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_YAML = {".yml": ".yaml", ".yaml": ".yml"}


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all files that it names and that aren't there, broken links apart."""
    found: defaultdict[str, list[AbsentPath]] = defaultdict(list)
    told = _told(inventory) if inventory.absent_paths else frozenset()
    for item in inventory.absent_paths:
        if (item.location, posixpath.basename(item.path)) not in told:
            found[item.location.file].append(item)
    for document, items in found.items():
        yield _evidence(inventory, document, items)


def _told(inventory: Inventory) -> frozenset[tuple[Location, str]]:
    """The places that other rules tell of, with the files' names: broken links, and slips in a script's name."""
    linked = (item for document in inventory.documents for item in document.mentions if item.kind == "link")
    places = [(item.location, item.text) for item in linked]
    places += [(slip.mention.location, slip.path) for slip in script_names.slips(inventory)]
    return frozenset((place, posixpath.basename(path)) for place, path in places)


def _like(inventory: Inventory, path: str) -> str:
    """The only file of that name elsewhere in the repository, or in its place with YAML's other ending."""
    found = inventory.files_by_name.get(posixpath.basename(path), ())
    stem, end = posixpath.splitext(path)
    other = f"{stem}{_YAML[end]}" if end in _YAML else ""
    if not found and other in inventory.files_by_name.get(posixpath.basename(other), ()):
        return other
    return found[0] if len(found) == 1 else ""


def _evidence(inventory: Inventory, document: str, items: list[AbsentPath]) -> Evidence:
    first, *others = sorted(items, key=lambda item: item.location.line)
    paths = list(dict.fromkeys(item.path for item in (first, *others)))
    like = _like(inventory, first.path)
    known = f"; there is {like}" if like else ""
    sure = all(path.startswith(".github/workflows/") for path in paths)
    doubt = "" if sure else f", unless a program makes {'it' if len(paths) == 1 else 'them'} that no file tells of"
    return Evidence(
        f"{document} names {listed(paths)}, which the repository lacks{known}{doubt}.",
        first.location,
        subject=document,
        related=tuple(Related(item.location, f"names {item.path}", member=True) for item in others),
        recommendation=f"Name {like} in {document}."
        if like
        else f"Add {listed(paths, limit=3)}, or correct {document}.",
        confidence=Confidence.HIGH if sure else None,
        change=(first.path, like) if like else ("", ""),
        example="" if like else f"git log --all --oneline -- {shlex.quote(first.path)}  # whether it was ever there",
    )
