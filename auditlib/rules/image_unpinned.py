"""An image has no version, or one that moves.

`latest`, no tag, or a bare variant such as `alpine` is another image tomorrow. The next build or pull brings a new
major version untested, two machines run different programs, and going back is impossible, since nobody knows what ran.

Anti-pattern:

    cache:
      image: redis:latest

Better:

    cache:
      image: redis:7.4.1-alpine

Recommendation:

    Name a version, better a digest as well (`redis:7.4.1@sha256:…`), and let Renovate or Dependabot raise it.

References:

- https://docs.docker.com/reference/compose-file/services/#image
- https://docs.docker.com/build/building/best-practices/#pin-base-image-versions
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable, Iterator

from auditlib.compose.discovery import is_compose_file
from auditlib.conventions import builds, deployment, environments, images, placeholders, programs, pushed_images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.configuration import EnvLine
from auditlib.inventory.stack import Variable
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_RELEASES = frozenset({
    "buster", "bullseye", "bookworm", "trixie", "focal", "jammy", "noble", "nonroot", "debug", "debug-nonroot",
})  # fmt: skip
"""Tags without a digit that name a release of a distribution, or a variant of an image that has no versions."""
_MOVES = regex(r"\bimagetools\s+create\b.*?\s(?:-t|--tag)[\s=]\S+:(?P<tag>[a-z][\w.-]*)(?=\s|$)")
"""A command that gives an image of the registry another tag, as promotions do."""
_FILLS = regex(r"\b(?:sed|envsubst|yq|perl|awk|kustomize)\b")
"""Programs by which a deployment writes the version into a manifest."""
_DIGEST = "docker image inspect --format '{{{{index .RepoDigests 0}}}}' {}  # what to write instead"
_BASE = "FROM {0}@<the digest that `docker buildx imagetools inspect {0}` shows>"
"""A builder keeps the base of an image to itself, so that no command for images on the host finds it."""
_IN_CLUSTER = "image: {}:<the version that the pipeline pushed>"
_PUBLISHED = "image: {}:${{VERSION:?the version to run}}"


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each file one finding for all images of others that it names without a version."""
    own = {images.repository(service.image) for service in inventory.services if service.build and service.image}
    found: dict[str, dict[Location, str]] = {}
    for image, location in _named(inventory):
        if images.repository(image) not in own and _moves(image):
            found.setdefault(location.file, {})[location] = image
    pushed = _pushed(inventory) | _of_only_dockerfile(inventory) if found else frozenset()
    if found and (moved := frozenset(_moved(inventory))):
        kept = {file: _without_moved(places, moved) for file, places in found.items()}
        found = {file: places for file, places in kept.items() if places}
    bases = {dockerfile.path for dockerfile in inventory.dockerfiles}
    built = {service.name for service in inventory.services if service.build}
    for file, places in found.items():
        yield _evidence(file, places, pushed, built, of_build=file in bases, builds=bool(bases))


def _pushed(inventory: Inventory) -> frozenset[str]:
    """The last parts of the names under which workflows push images: the account is often known to a run alone."""
    jobs = ((workflow, job) for workflow in inventory.workflows for job in workflow.jobs)
    names = (_name(item.reference) for workflow, job in jobs for item in pushed_images.of(workflow, job))
    return frozenset(name for name in names if name and not set("${}") & set(name))


def _moved(inventory: Inventory) -> Iterator[str]:
    """The tags that a command of a workflow moves to what was pushed before: by them a version is released."""
    for step in inventory.steps:
        for command in step.commands:
            if match := _MOVES.search(" ".join(command.words)):
                yield match["tag"]


def _without_moved(places: dict[Location, str], moved: frozenset[str]) -> dict[Location, str]:
    return {place: image for place, image in places.items()
            if "/" not in image or images.product(image) is not None or images.tag(image) not in moved}  # fmt: skip


def _of_only_dockerfile(inventory: Inventory) -> frozenset[str]:
    """The only image of a repository's Compose files that is no known one, where one Dockerfile makes one by hand."""
    names = frozenset(_name(item.service.image) for item in programs.of_only_image(inventory))
    return names if len(names) == 1 else frozenset()


def _name(image: str) -> str:
    return images.repository(image.rpartition("}}/")[2]).rpartition("/")[2]


def _named(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    for service in inventory.services:
        if service.changed_at and service.image_location.file != service.changed_at.file:
            continue  # what the overlay leaves as its base has it
        used = inventory.variables_of.get((service.project, service.name), ())
        target = f"services.{service.name}.image"
        told = all(item.source != "unset" for item in used if item.target == target)  # else its version isn't known
        if service.build is None and service.image and told and not _is_always_replaced(inventory, used, target):
            yield service.image, service.image_location
    for dockerfile in inventory.dockerfiles:
        stages = {stage.name for stage in dockerfile.stages}
        for stage in dockerfile.stages:
            if stage.base.lower() not in stages and stage.base != "scratch":
                yield stage.base, stage.location
        yield from ((image, item.location) for image, item in builds.borrowed(inventory, dockerfile))
    yield from _in_clusters(inventory)


def _is_always_replaced(inventory: Inventory, used: Iterable[Variable], target: str) -> bool:
    """Whether the image is but the fall-back of a variable that every template beside the Compose file sets."""
    own = [item for item in used if item.target == target and item.source == "default"]
    return bool(own) and all(_is_set(inventory, item) for item in own)


def _is_set(inventory: Inventory, variable: Variable) -> bool:
    folder = posixpath.dirname(variable.location.file)
    mine = [item for item in inventory.env_files if item.template and posixpath.dirname(item.path) == folder]
    return bool(mine) and all(any(_fills(line, variable.name) for line in item.lines) for item in mine)


def _fills(line: EnvLine, name: str) -> bool:
    return line.name == name and not line.commented and line.value is not None and bool(line.value.text)


def _in_clusters(inventory: Inventory) -> Iterator[tuple[str, Location]]:
    """The images of manifests whose names are final: no template's, and none that something replaces on the way."""
    written = [item for file in inventory.cluster_files if file.kind == "manifest" for item in file.images]
    plain = [item for item in written if "{" not in item.image and not placeholders.of_image(item.image)]
    if not plain:
        return
    texts = [" ".join(command.words) for command in deployment.commands(inventory)]
    if any("set image" in text for text in texts):
        return
    replaced = {images.repository(name) for file in inventory.cluster_files for name in file.replaced}
    for item in plain:
        name = item.location.file.rpartition("/")[2]
        filled = any(name in text and _FILLS.search(text) for text in texts)
        if images.repository(item.image) not in replaced and not filled:
            yield item.image, item.location


def _moves(image: str) -> bool:
    """Whether neither a digest nor a tag with a number in it says which version is meant."""
    tag = images.tag(image)
    fixed = any(character.isdigit() for character in tag) or tag.removesuffix("-slim") in _RELEASES or tag == "local"
    without_versions = images.repository(image).startswith("distroless/")  # but for digests
    return bool(image) and "$" not in image and "@" not in image and not fixed and not without_versions


def _evidence(
    file: str, places: dict[Location, str], pushed: frozenset[str], built: set[str], *, of_build: bool, builds: bool
) -> Evidence:
    (first, image), *others = places.items()
    in_cluster = not of_build and not is_compose_file(file.rpartition("/")[2])
    own = "/" in image and images.product(image) is None and (_name(image) in pushed or (in_cluster and builds))
    own = own or (in_cluster and "/" not in image and _is_built(image, built))
    usual = _BASE if of_build else _DIGEST
    published = _IN_CLUSTER if in_cluster else _PUBLISHED
    step = (
        f"Let the pipeline tag {image} by its version too, and run that version in {file}"
        if own
        else f"Write the version of {image} that runs today, and let Renovate or Dependabot raise it"
    )
    return Evidence(
        f"{listed(places.values())} {'names' if len(set(places.values())) == 1 else 'name'} no version: the next pull "
        f"may bring another one.",
        first,
        subject=f"{file}/images",
        related=tuple(Related(location, f"{other} has no version either", member=True) for location, other in others),
        recommendation=f"{step}{'; pin the others as well' if others else ''}.",
        severity=Severity.LOW if environments.is_for_development(file) else None,
        example=published.format(_without_tag(image)) if own else usual.format(shlex.quote(image)),
    )


def _is_built(image: str, built: set[str]) -> bool:
    """Whether a name without an account is that of a service which is built here: `api`, `shop-api`."""
    name = images.repository(image)
    return images.product(image) is None and any(name == item or name.endswith(f"-{item}") for item in built)


def _without_tag(image: str) -> str:
    return image.removesuffix(f":{images.tag(image)}")
