"""An image belongs to an account that is a placeholder.

`your-username/api` was to be replaced before the first deployment. Nobody has an image of that name: a pull ends with
`pull access denied`, a push with `denied`, a pod stays in `ImagePullBackOff`; or, worse, somebody takes the name.

Anti-pattern:

    # k8s/api.yaml
    containers:
      - name: api
        image: your-username/api:latest

Better:

    containers:
      - name: api
        image: ghcr.io/acme/api:1.4.2

Recommendation:

    Write the registry and the account that the images are pushed to, the same in the pipeline and where they are run.

References:

- https://docs.docker.com/reference/cli/docker/image/tag/
- https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff
- https://www.rfc-editor.org/rfc/rfc2606
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import deployment, environments, images, placeholders
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Command, Step, Workflow
from auditlib.inventory.document import Document
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_BUILDS_IMAGES = regex(r"build-push-action|metadata-action|kaniko|buildah|docker-publish")
_INPUTS = frozenset({"tags", "images", "image", "destination"})
_IMAGE_VARIABLE = regex(r"(?:^|_)(?:IMAGE|REPO(?:SITORY)?)(?:_NAME)?$|^IMAGE_")
_REPLACERS = frozenset({"sed", "perl", "yq", "envsubst", "kustomize", "kubectl", "helm", "awk", "python", "python3"})
_SETS_IMAGES = regex(r"\bset image\b|--set(?:-string)?[ =]\S*image|k8s-deploy|k8s-bake|render-task-definition")
_PULLED_BY_BUILD = "the build pulls it"
_WORD = regex(r"[a-z]{2,}")
_REPLACING = frozenset({"replace", "substitute", "change", "update"})


class _Use(Struct, frozen=True):
    """An image whose name holds a placeholder, and what is done with it."""

    image: str
    placeholder: str
    location: Location
    does: str
    unsure: bool = False


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each placeholder one finding for all images that are pulled, or pushed, under it."""
    found: defaultdict[str, dict[Location, _Use]] = defaultdict(dict)
    replaced = _replaced(inventory)
    for image, location, does, unsure in _named(inventory):
        placeholder = placeholders.of_image(image)
        aside = not location.file.startswith(".github/") and environments.is_for_development(location.file)
        if placeholder and placeholder not in replaced and not aside:
            found[placeholder].setdefault(location, _Use(image, placeholder, location, does, unsure))
    for uses in found.values():
        yield _evidence(inventory, list(uses.values()))


_Named = tuple[str, Location, str, bool]


def _named(inventory: Inventory) -> Iterator[_Named]:
    """The images that are pulled or pushed, each with its place, what is done with it, and whether that is unsure."""
    yield from _of_services(inventory)
    for file in inventory.dockerfiles:
        names = {stage.name for stage in file.stages}
        for stage in file.stages:
            if stage.base not in names and "$" not in stage.base:
                yield stage.base, stage.location, _PULLED_BY_BUILD, False
    if not _sets_images(inventory):
        renamed = {images.repository(name) for item in inventory.cluster_files for name in item.replaced}
        for item in inventory.cluster_files:
            for found in item.images:
                if images.repository(found.image) not in renamed:
                    yield found.image, found.location, "the cluster pulls it", False
    for workflow in inventory.workflows:
        yield from _of_workflow(workflow)


def _of_services(inventory: Inventory) -> Iterator[_Named]:
    """The images of services that nothing builds under their name on the same machine."""
    built = {item.image for item in inventory.services if item.build and item.image}
    built |= {word for command in deployment.commands(inventory) if "build" in command.words for word in command.words}
    for service in inventory.services:
        if service.build is None and service.image and service.image not in built:
            given = inventory.variables_of.get((service.project, service.name), ())
            by_default = any(item.target == f"services.{service.name}.image" for item in given)
            yield service.image, service.image_location, f"{service.name} pulls it", by_default


def _of_workflow(workflow: Workflow) -> Iterator[_Named]:
    """What a workflow pushes or pulls: inputs of actions, arguments of `docker push`, variables that name images."""
    pushes = False
    for job in workflow.jobs:
        for step in job.steps:
            given = {pair.name: pair.value for pair in step.inputs}
            if _BUILDS_IMAGES.search(step.uses) and given.get("push", "").lower() != "false":
                pushes = True
                yield from _of_inputs(step)
            for command in step.commands:
                if names := _pushed(command):
                    pushes = True
                    yield from ((name, command.location, "the pipeline pushes it", False) for name in names)
    pairs = [*workflow.env, *(pair for job in workflow.jobs for pair in job.env)]
    read = _read(workflow) if pushes else ""
    for pair in pairs if pushes else ():
        if _IMAGE_VARIABLE.search(pair.name) and re.search(rf"\b{re.escape(pair.name)}\b", read):
            yield pair.value, pair.location, "the pipeline pushes it", False


def _read(workflow: Workflow) -> str:
    """The texts of a workflow that may read its variables."""
    steps = [step for job in workflow.jobs for step in job.steps]
    values = [pair.value for step in steps for pair in (*step.inputs, *step.env)]
    values += [pair.value for job in workflow.jobs for pair in job.env] + [pair.value for pair in workflow.env]
    return "\n".join((*values, *(step.run for step in steps)))


def _of_inputs(step: Step) -> Iterator[_Named]:
    for pair in step.inputs:
        if pair.name in _INPUTS:
            for name in pair.value.replace(",", "\n").split():
                yield name, pair.location, "the pipeline pushes it", False


def _pushed(command: Command) -> list[str]:
    """The images that a command pushes or pulls."""
    words = command.words
    if words[:1] != ("docker",) or not {"push", "pull"} & set(words[1:3]):
        return []
    return [word for word in words[2:] if not word.startswith("-") and word not in ("push", "pull")]


def _replaced(inventory: Inventory) -> frozenset[str]:
    """The words of commands that replace texts in files, taken apart, so that a placeholder is found among them."""
    found: set[str] = set()
    for command in deployment.commands(inventory):
        if command.words[:1] and command.words[0] in _REPLACERS:
            for word in command.words[1:]:
                found.update(_SEPARATORS.split(word))
    return frozenset(found)


_SEPARATORS = regex(r"[\s/|#@,:;=\"'\\{}()]+")


def _sets_images(inventory: Inventory) -> bool:
    """Whether a command or an action says which images the manifests have, when they are applied."""
    texts = (" ".join(command.words) for command in deployment.commands(inventory))
    return any(_SETS_IMAGES.search(text) for text in (*texts, *(step.uses for step in inventory.steps)))


def _evidence(inventory: Inventory, uses: list[_Use]) -> Evidence:
    first, *others = uses
    unread = deployment.unfollowed_ci(inventory)
    doubt = f", unless {unread[0]} replaces it" if unread else ""
    doubt = ", unless its variable says another one" if first.unsure else doubt
    names = listed(use.image for use in uses)
    told = _told(inventory, first.placeholder)
    return Evidence(
        f"`{first.placeholder}` in {names} is a placeholder that nobody replaced: {first.does} in vain{doubt}.",
        first.location,
        subject=first.placeholder,
        related=(
            *(Related(use.location, f"{use.image}: {use.does}", member=True) for use in others),
            *(Related(item.location, "speaks of it, and of replacing something") for item in told[:2]),
        ),
        severity=Severity.MEDIUM if told else None,
        recommendation=f"Write the registry and the account of the images in place of `{first.placeholder}`.",
        confidence=Confidence.MEDIUM if first.unsure or unread else None,
        example=files.into(
            first.location.file,
            _real(inventory, first)
            if first.location.file.startswith(".github/")
            else f"{'FROM ' if first.does == _PULLED_BY_BUILD else 'image: '}{_real(inventory, first)}",
        ),
    )


def _told(inventory: Inventory, placeholder: str) -> list[Document]:
    """The documents that may tell people to replace a placeholder; one of a single word stands anywhere."""
    words = set(_WORD.findall(placeholder.lower()))
    known = (item for item in inventory.documents if words <= item.words and not _REPLACING.isdisjoint(item.words))
    return list(known) if len(words) > 1 else []


def _real(inventory: Inventory, use: _Use) -> str:
    """The image in the registry that goes with the repository's host, as far as that is known."""
    last = use.image.partition("@")[0].rpartition("/")[2]
    host, _, owner = inventory.origin.removeprefix("https://").partition("/")
    registry = {"github.com": "ghcr.io", "gitlab.com": "registry.gitlab.com"}.get(host, "")
    place = f"{registry}/{owner.lower()}" if host == "gitlab.com" else f"{registry}/{owner.partition('/')[0].lower()}"
    return f"{place if registry else '<registry>/<account>'}/{last}"
