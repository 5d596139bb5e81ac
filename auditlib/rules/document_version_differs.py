"""A document names another version of a program than the one that runs.

Whoever sets up a host, a managed database or a client by it gets one that doesn't fit: a dump of PostgreSQL 16 isn't
read by 15, and the manual that is opened is that of another release.

Anti-pattern:

    # README.md: PostgreSQL 15
    db:
      image: postgres:16.4

Better:

    # README.md: PostgreSQL 16

Recommendation:

    Write the version that runs, or name the file that says it and no number.

References:

- https://www.writethedocs.org/guide/writing/docs-principles/
- https://www.postgresql.org/support/versioning/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import images, language_versions
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.document import Claim, Document, Mention
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ASIDE = regex(
    r"(?i)(?:^|[/_.-])(?:change(?:log|s)|history|news|releases?|roadmap|todo|plans?|proposals?|rfcs?|adrs?|decisions?|"
    r"migrat\w*|upgrad\w*|ideas?|notes?|prompts?|claude|agents|examples?|vendor|node_modules|"
    r"phase\d{0,3}|complet\w*|summary|status|reports?|progress)(?=[/_.-])"
)
_ON_IMAGES = regex(r"(?i)docker|container")
"""In the path of a document that is on the images alone."""
_TAG = regex(r"v?(\d+(?:\.\d+)*)(?![\w.])")
_LEAST = {"postgres": 9, "redis": 4, "mysql": 5, "mariadb": 10, "mongo": 3, "rabbitmq": 3, "elasticsearch": 6,
          "grafana": 6, "keycloak": 10, "node": 10, "clickhouse-server": 20,
          "prometheus": 2, "loki": 2, "python": 3, "php": 5, "ruby": 2, "traefik": 2}  # fmt: skip
"""From which number on a name and a number are a release: before it they count nodes or databases."""
_WITH_POINT = frozenset({"kafka", "nginx", "prometheus", "loki", "traefik", "python", "ruby", "php"})
_LANGUAGES = frozenset({"python", "node", "ruby", "php"})
_OTHERS = {"PostgreSQL": "postgres", "Redis": "redis", "MySQL": "mysql", "MongoDB": "mongo"}


class _Running(Struct, frozen=True):
    """A version of a product that an image brings."""

    version: tuple[int, ...]
    image: str
    location: Location


@rule(area=Area.RESILIENCE, severity=Severity.LOW, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each document one finding for all products that it names in a version that no image of the repository has."""
    running = _running(inventory) if any(_claims(item) for item in inventory.documents) else {}
    known = _with_pipelines(inventory, running)
    for document in inventory.documents if running else ():
        mine = running if _ON_IMAGES.search(document.path) else known
        wrong = [(item, claim) for item, claim in _claims(document) if _is_wrong(claim, mine)]
        if wrong:
            yield _evidence(document, wrong, running)


def _claims(document: Document) -> list[tuple[Mention, Claim]]:
    """What a document says of versions; a line with two of one product speaks of a change, or of a range."""
    if _ASIDE.search(document.path):
        return []
    found = [(item, Claim.of(item)) for item in document.mentions if item.kind == "version"]
    times = Counter((item.location, claim.product) for item, claim in found)
    return [(item, claim) for item, claim in found if times[item.location, claim.product] == 1 and _is_release(claim)]


def _is_release(claim: Claim) -> bool:
    if claim.product in _WITH_POINT and len(claim.version) < 2:
        return False
    return claim.version[0] >= _LEAST.get(claim.product, 0)


def _running(inventory: Inventory) -> dict[str, list[_Running]]:
    """By product the versions of its images; nothing of one of which an image is built by others, or has no number."""
    found: dict[str, list[_Running]] = {}
    unknown: set[str] = set()
    places = [(item.image, item.image_location) for item in inventory.services if item.image and not item.build]
    places += [(stage.base, stage.location) for item in inventory.dockerfiles for stage in item.stages]
    for image, place in places:
        name = images.repository(image).rpartition("/")[2]
        match = _TAG.match(image.partition("@")[0].rpartition(":")[2]) if ":" in image else None
        if match:
            found.setdefault(name, []).append(_Running(tuple(map(int, match[1].split("."))), image, place))
        else:
            unknown.add(name)
    for service in inventory.services:
        product = images.product(service.image)
        own = _OTHERS.get(product.name if product else "", "")
        if own and images.repository(service.image).rpartition("/")[2] != own:
            unknown.add(own)
    return {name: items for name, items in found.items() if name not in unknown}


def _with_pipelines(inventory: Inventory, running: dict[str, list[_Running]]) -> dict[str, list[_Running]]:
    """The same with the releases of languages with which workflows work: most documents may speak of these."""
    known = dict(running)
    for language, found in language_versions.stated(inventory).items() if running else ():
        if language in _LANGUAGES and language in running:
            of_ci = (item for item in found if item.source == "ci")
            known[language] = [
                *running[language],
                *(_Running(item.version, item.text, item.location) for item in of_ci),
            ]
    return known


def _is_wrong(claim: Claim, running: dict[str, list[_Running]]) -> bool:
    known = running.get(claim.product, [])
    return bool(known) and not any(_fits(claim, each) for each in known)


def _fits(claim: Claim, running: _Running) -> bool:
    """Whether a version is the one that is named, as far as both have numbers, or a newer one where that will do."""
    size = min(len(claim.version), len(running.version))
    size = min(size, 2) if claim.product not in ("postgres", "redis", "node") else 1
    mine, theirs = claim.version[:size], running.version[:size]
    return mine == theirs or (claim.least and theirs > mine)


def _evidence(document: Document, wrong: list[tuple[Mention, Claim]], running: dict[str, list[_Running]]) -> Evidence:
    (first, claim), *others = wrong
    said = listed(
        dict.fromkeys(f"{item.product} {_shown(item)} for {running[item.product][0].image}" for _, item in wrong)
    )
    runs = running[claim.product][0]
    least = all(item.product in _LANGUAGES for _, item in wrong)
    return Evidence(
        f"{document.path} names versions that no image of the repository has: {said}.",
        first.location,
        subject=f"{document.path}/{'/'.join(dict.fromkeys(item.product for _, item in wrong))}",
        related=(
            Related(runs.location, f"runs {runs.image}"),
            *(Related(item.location, f"names {each.product} {_shown(each)}", member=True) for item, each in others),
        ),
        recommendation=f"Write {claim.product} {_number(claim, runs)} in {document.path}.",
        confidence=Confidence.LOW if least else None,
        example=files.into(document.path, f"{claim.product} {_number(claim, runs)}"),
    )


def _number(claim: Claim, running: _Running) -> str:
    """A version that runs, as exact as the document has it."""
    return ".".join(map(str, running.version[: len(claim.version)]))


def _shown(claim: Claim) -> str:
    return ".".join(map(str, claim.version)) + ("+" if claim.least else "")
