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
_EXPRESSION = regex(r"\$\{\{.{0,200}?\}\}")
_OUTSIDE = regex(r"(\$\{\{.{0,200}?\}\})|[^$]+")
_CAPITAL = regex(r"[A-Z]")
_OWN = regex(r"\$\{\{\s*github\.(?P<key>repository|repository_owner)\s*\}\}")


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each name with capitals that a service runs, or that a step or command gives an image."""
    found: defaultdict[tuple[str, bool], list[Location]] = defaultdict(list)
    for written, place in _names(inventory):
        filled = _filled(inventory, written)
        if _is_refused(written):
            found[written, True].append(place)
        elif _is_refused(filled):
            found[filled, False].append(place)
    for (name, is_written), places in found.items():
        yield _evidence(name, places) if is_written else _of_origin(name, places)


def _names(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    yield from ((item.image, item.image_location) for item in inventory.distinct_services)
    for step in inventory.steps:
        for pair in step.inputs if "build-push-action" in step.uses else ():
            lines = pair.value.replace(",", "\n").splitlines() if pair.name == "tags" else ()
            yield from ((line.strip(), pair.location) for line in lines)
    for told in told_commands.everywhere(inventory):
        if told.words[:1] == ("docker",) and "build" in told.words[1:3] and not told.by_document:
            named = [value for option, value in pairwise(told.words) if option in ("-t", "--tag")]
            named += [word.removeprefix("--tag=") for word in told.words if word.startswith("--tag=")]
            yield from ((value, told.location) for value in named)


def _filled(inventory: Inventory, text: str) -> str:
    """A name with that of the repository in the place of the expressions, as far as it is known."""
    owner, _, name = inventory.origin.partition("://")[2].partition("/")[2].partition("/")
    known = {"repository": f"{owner}/{name}", "repository_owner": owner}
    return _OWN.sub(lambda match: known[match["key"]], text) if owner and name else text


def _path(image: str) -> str:
    """A name without its tag and its digest; of the same length where expressions stand in it."""
    plain = _EXPRESSION.sub(lambda match: "x" * len(match[0]), image).partition("@")[0]
    return plain.rpartition(":")[0] if ":" in plain.rpartition("/")[2] else plain


def _is_refused(image: str) -> bool:
    """Whether the path of a name, behind its registry, has a capital; one with variables isn't known.

    Docker takes a first part with capitals for a registry.
    """
    path = _path(image)
    first, slash, rest = path.partition("/")
    registry = bool(slash) and ("." in first or ":" in first or first == "localhost" or bool(_CAPITAL.search(first)))
    behind = rest if registry else path
    plain = _EXPRESSION.sub("x", image)
    return "$" not in behind and bool(_IMAGE.fullmatch(plain)) and bool(_CAPITAL.search(behind))


def _lower(name: str) -> str:
    """A name with its path in lower case; the tag and expressions as they are."""
    end = len(_path(name))
    return _OUTSIDE.sub(lambda match: match[1] or match[0].lower(), name[:end]) + name[end:]


def _evidence(name: str, places: list[Location]) -> Evidence:
    first, *others = dict.fromkeys(places)
    lower = _lower(name)
    return Evidence(
        f"The image's name {name} has capitals: Docker refuses it, “repository name must be lowercase”.",
        first,
        subject=name,
        related=tuple(Related(place, "named so too", member=True) for place in others),
        recommendation=f"Write {lower[:90]}.",
        change=(name, lower),
        example=files.into(first.file, lower),
    )


def _of_origin(name: str, places: list[Location]) -> Evidence:
    """Of a name with capitals that come from the repository's, which GitHub may know by other ones."""
    first, *others = dict.fromkeys(places)
    return Evidence(
        f"The image's name becomes {name}, as the address of the repository's origin is written: Docker refuses "
        "capitals, “repository name must be lowercase”.",
        first,
        subject=name,
        related=tuple(Related(place, "named so too", member=True) for place in others),
        recommendation="Write the name in lower case by a step before, or have `docker/metadata-action` make it.",
        confidence=Confidence.MEDIUM,
        example=files.into(
            first.file,
            '- run: echo "IMAGE=ghcr.io/${GITHUB_REPOSITORY,,}" >> "$GITHUB_ENV"\n'
            "# then `${{ env.IMAGE }}` in place of the name",
        ),
    )
