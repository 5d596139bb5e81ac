"""The pipeline publishes an image, and what the repository deploys doesn't use it.

The image that was built, tested and scanned lies in a registry. The host builds another one from the source, at a
later moment and with other base images, and that is the one that runs.

Anti-pattern:

    # .github/workflows/ci.yml
    - uses: docker/build-push-action@v6
      with: {push: true, tags: ghcr.io/example/shop-api:latest}
    # compose.yaml
    api:
      build: ./api

Better:

    api:
      image: ghcr.io/example/shop-api:${VERSION:?the version to run}

Recommendation:

    Run the published image, by a version or digest, or stop publishing what nobody runs.

References:

- https://12factor.net/build-release-run
- https://docs.docker.com/compose/how-tos/production/
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib.conventions import deployment, environments, images
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_EXPRESSION = regex(r"\$\{\{[^}]*\}\}|\$\{?\w+\}?")
_PUSHED = regex(r"^(?:docker|podman)\s+(?:image\s+)?push\s+(?:--?\S+\s+)*(?P<image>\S+)$")
_NAME = regex(r"[a-z0-9][a-z0-9._-]+")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each image that a job pushes and that no Compose file, command, Dockerfile or document names again."""
    built = [item for item in inventory.distinct_services if item.build and not _is_for_development(item)]
    if not built or deployment.uses_orchestrator(inventory):
        return
    named = _named(inventory)
    for job in inventory.jobs:
        pushed = {name: place for step in job.steps for name, place in _pushed(step)}
        unused = {name: place for name, place in pushed.items() if name not in named}
        if unused and len(unused) == len(pushed):
            yield _evidence(job, unused, built)


def _is_for_development(service: Service) -> bool:
    return environments.is_for_development(service.location.file)


def _pushed(step: Step) -> Iterator[tuple[str, Location]]:
    """The names of the images that a step pushes, as far as they are written out."""
    inputs = {pair.name: pair for pair in step.inputs}
    pushes = "push" in inputs and inputs["push"].value != "false"
    if pushes and step.uses.startswith("docker/build-push-action@") and "tags" in inputs:
        for tag in inputs["tags"].value.replace(",", "\n").split("\n"):
            yield from ((name, inputs["tags"].location) for name in _name(tag))
    for command in step.commands:
        if match := _PUSHED.match(_EXPRESSION.sub("$", " ".join(command.words))):
            yield from ((name, command.location) for name in _name(match["image"]))


def _name(reference: str) -> Iterator[str]:
    """The last part of an image's name, if no expression is in it."""
    last = _EXPRESSION.sub("$", reference.strip()).rpartition("/")[2]
    name = last.partition("@")[0].partition(":")[0]
    if _NAME.fullmatch(name):
        yield name


def _named(inventory: Inventory) -> set[str]:
    """What may name an image again; a command that builds, tags or pushes it doesn't run it."""
    texts = [service.image for service in inventory.services if service.build is None]
    texts += [item.argument for file in inventory.dockerfiles for item in file.instructions
              if item.keyword in ("FROM", "COPY")]  # fmt: skip
    texts += [item.text for document in inventory.documents for item in document.mentions if item.kind == "command"]
    texts += [target.text for manifest in inventory.manifests for target in manifest.targets]
    for command in deployment.commands(inventory):
        if not {"build", "tag", "push", "buildx"} & set(command.words[:3]):
            texts += command.words
    for job in inventory.jobs:
        texts += [pair.value for step in job.steps for pair in step.inputs
                  if not step.uses.startswith("docker/build-push-action@")]  # fmt: skip
    words = (word for text in texts for word in text.replace("=", " ").split())
    return {images.repository(posixpath.basename(word)) for word in words}


def _reference(job: Job, name: str) -> str:
    """The image as it is pushed, by a version that the deployment has to name."""
    tags = (tag for step in job.steps for pair in step.inputs if pair.name == "tags" for tag in pair.value.split())
    written = next((tag for tag in tags if f"/{name}" in tag and not _EXPRESSION.search(tag)), name)
    return f"{written.partition(f'/{name}')[0]}/{name}:${{VERSION:?the version to run}}".removeprefix(f"{name}/")


def _evidence(job: Job, unused: dict[str, Location], built: list[Service]) -> Evidence:
    names = sorted(unused)
    first = built[0]
    return Evidence(
        f"The job {job.id} pushes {listed(names)}, and nothing in the repository runs what it pushed: "
        f"{first.location.file} builds {listed(service.name for service in built)} anew.",
        unused[names[0]],
        subject="/".join((job.workflow, *names)),
        related=tuple(Related(service.location, f"builds {service.name} from the source") for service in built[:6]),
        recommendation=f"Let {listed(service.name for service in built)} run the published image by its version, and "
        "deploy by pulling it.",
        example=compose_lines.of_service(first, f"image: {_reference(job, names[0])}"),
    )
