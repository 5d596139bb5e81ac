"""The name of an image has capitals, which Docker refuses.

Names of repositories are in lower case. `docker build`, `push` and Compose end with "invalid reference format:
repository name must be lowercase"; `${{ github.repository }}` has the capitals that the owner or the project has.

Anti-pattern:

    - uses: docker/build-push-action@v6
      with: {push: true, tags: "ghcr.io/AcmeShop/api:1.4"}

Better:

    - uses: docker/build-push-action@v6
      with: {push: true, tags: "ghcr.io/acmeshop/api:1.4"}

Recommendation:

    Write the name in lower case, or have `docker/metadata-action` make it, which does that.

References:

- https://docs.docker.com/reference/cli/docker/image/tag/
- https://github.com/docker/metadata-action#images-input
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from auditlib.conventions import told_commands
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_IMAGE = regex(r"(?:[\w.-]+(?::\d+)?/)?(?P<path>[\w.-]+(?:/[\w.-]+)*)(?::[\w.${}-]+)?(?:@sha256:\w+)?")
_CAPITAL = regex(r"[A-Z]")
_OWN = regex(r"\$\{\{\s*github\.(?P<key>repository|repository_owner)\s*\}\}")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each name with capitals that a service runs, or that a step or command gives an image."""
    found: defaultdict[str, list[Location]] = defaultdict(list)
    for name, place in _names(inventory):
        if _is_refused(name):
            found[name].append(place)
    for name, places in found.items():
        yield _evidence(name, places)


def _names(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    yield from ((item.image, item.image_location) for item in inventory.distinct_services)
    for step in inventory.steps:
        for pair in step.inputs if "build-push-action" in step.uses else ():
            lines = pair.value.replace(",", "\n").splitlines() if pair.name == "tags" else ()
            yield from ((_filled(inventory, line.strip()), pair.location) for line in lines)
    for told in told_commands.everywhere(inventory):
        if told.words[:1] == ("docker",) and "build" in told.words[1:3] and not told.by_document:
            named = (value for option, value in pairwise(told.words) if option in ("-t", "--tag"))
            yield from ((value, told.location) for value in named)


def _filled(inventory: Inventory, text: str) -> str:
    """A name with that of the repository in the place of the expressions, as far as it is known."""
    owner, _, name = inventory.origin.partition("://")[2].partition("/")[2].partition("/")
    known = {"repository": f"{owner}/{name}", "repository_owner": owner}
    return _OWN.sub(lambda match: known[match["key"]], text) if owner and name else text


def _is_refused(image: str) -> bool:
    """Whether the path of a name, behind its registry, has a capital; one with variables isn't known."""
    bare = image.partition("@")[0]
    path = bare.rpartition(":")[0] if ":" in bare.rpartition("/")[2] else bare
    first, slash, rest = path.partition("/")
    registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    plain = rest if registry else path
    return "$" not in plain and bool(_IMAGE.fullmatch(image)) and bool(_CAPITAL.search(plain))


def _evidence(name: str, places: list[Location]) -> Evidence:
    first, *others = dict.fromkeys(places)
    lower = name.lower()
    return Evidence(
        f"The image's name {name} has capitals: Docker refuses it, “repository name must be lowercase”.",
        first,
        subject=name,
        related=tuple(Related(place, "named so too", member=True) for place in others),
        recommendation=f"Write {lower[:90]}.",
        change=(name, lower),
        example=files.into(first.file, lower),
    )
