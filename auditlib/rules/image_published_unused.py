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
from collections import defaultdict
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import (
    deploy_hooks,
    deployment,
    environments,
    images,
    pushed_images,
    services,
    workflow_events,
)
from auditlib.conventions.pushed_images import Pushed
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step, Workflow
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run, building
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_EXPRESSION = regex(r"\$\{\{[^}]*\}\}|\$\{?\w+\}?")
_NO_USE = regex(
    r"^docker/(?:build-push|metadata|login|bake)-action@|trivy|scan-action|attest|cosign|scout|sbom|snyk|grype"
)
"""Actions that make, name, scan or sign an image, and run none."""
_NAME = regex(r"[a-z0-9][a-z0-9._-]+")
_OWN = regex(r"(?P<registry>[\w-]+(?:\.[\w-]+)+)/\$\{\{\s*github\.repository\s*\}\}(?=[:@]|$)")
"""An image that is called like the repository, whose name its files don't say."""


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each image that a job pushes and that no Compose file, command, Dockerfile or document names again."""
    built = [item for item in inventory.distinct_services if item.build and not _is_for_development(item)]
    if not built or deployment.leaves_compose(inventory):
        return
    named, builders = _named(inventory), _builders(inventory, built)
    for workflow in inventory.workflows:
        lost = [(job, unused) for job in workflow.jobs if (unused := _unused(workflow, job, named))]
        found = pipeline.of(inventory, [workflow] if lost else [])
        for job, unused in lost:
            yield _evidence(workflow, job, unused, _of_runs(inventory, found.of_job(job), builders) or built)


def _unused(workflow: Workflow, job: Job, named: set[str]) -> dict[str, Pushed]:
    """The images of a job by their names, if none of them is named again or passed on."""
    pushed = {name: item for item in pushed_images.of(workflow, job) for name in _name(item.reference)}
    used = any(_is_named(name, named) for name in pushed) or _passes_on(workflow, job)
    return {} if used else pushed


def _is_named(name: str, named: set[str]) -> bool:
    """Whether an image may be named again; of one that is called like the repository only the registry is known."""
    registry = name.partition("/<")[0]
    return name in named or (registry != name and registry in named)


def _is_for_development(service: Service) -> bool:
    return environments.is_for_development(service.location.file)


def _name(reference: str) -> Iterator[str]:
    """The last part of an image's name, if no expression is in it; the registry of one called like the repository."""
    if own := _OWN.match(reference.strip()):
        yield f"{own['registry']}/<the repository's name>"
        return
    last = _EXPRESSION.sub("$", reference.strip()).rpartition("/")[2]
    name = last.partition("@")[0].partition(":")[0]
    if _NAME.fullmatch(name):
        yield name


def _named(inventory: Inventory) -> set[str]:
    """What may name an image again; a command that builds, tags or pushes it doesn't run it."""
    texts = [service.image for service in inventory.services]  # one that is built as well may be pulled
    texts += [item.argument for file in inventory.dockerfiles for item in file.instructions
              if item.keyword in ("FROM", "COPY")]  # fmt: skip
    texts += [item.text for item in deployment.documented_commands(inventory)]
    texts += [target.text for manifest in inventory.manifests for target in manifest.targets]
    for command in deployment.commands(inventory):
        if not {"build", "tag", "push", "buildx"} & set(command.words[:3]):
            texts += command.words
    for workflow in inventory.workflows:
        for job in workflow.jobs:
            texts += [text for step in job.steps for text in _of_step(workflow, job, step)]
    words = {word.strip("\"'") for text in texts for word in text.replace("=", " ").split()}
    return {images.repository(posixpath.basename(word)) for word in words} | {
        word.partition("/")[0] for word in (*words, *(service.image for service in inventory.services)) if "/" in word
    }


def _of_step(workflow: Workflow, job: Job, step: Step) -> Iterator[str]:
    """What the inputs of an action, and commands that run an image by a variable, say with its values in place."""
    known = pushed_images.variables(workflow, job, step)
    texts = [] if _NO_USE.search(step.uses) else [pair.value for pair in step.inputs]
    texts += [
        word for command in step.commands if not {"build", "tag", "push", "buildx"} & set(command.words[:3])
        for word in command.words if "$" in word
    ]  # fmt: skip
    for text in texts:
        yield from pushed_images.expanded(text, job, known)


def _passes_on(workflow: Workflow, job: Job) -> bool:
    """Whether another job gets something from this one that may be the image's name."""
    texts = (
        f"{step.run} {' '.join(pair.value for pair in (*step.inputs, *step.env))}"
        for other in workflow.jobs if other is not job for step in other.steps
    )  # fmt: skip
    wanted = f"needs.{job.id}.outputs."
    called = (pair.value for other in workflow.jobs for pair in other.inputs)
    return any(wanted in text for text in (*texts, *called))


def _reference(pushed: Pushed) -> str:
    """The image as it is pushed, by a version that the deployment has to name."""
    reference = _EXPRESSION.sub(lambda match: f"<{match[0].strip('${} ')}>", pushed.reference.partition("@")[0])
    folder, slash, last = reference.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}:${{VERSION:?the version to run}}"


def _builders(inventory: Inventory, built: list[Service]) -> dict[str, list[Service]]:
    """The services that Compose builds, by their Dockerfile."""
    found: defaultdict[str, list[Service]] = defaultdict(list)
    for service in built:
        if file := services.dockerfile(inventory, service):
            found[file.path].append(service)
    return found


def _of_runs(inventory: Inventory, runs: list[Run], builders: dict[str, list[Service]]) -> list[Service]:
    """The services whose Dockerfile a job may build."""
    builds = [run for run in runs if pipeline.builds_images(run, inventory)]
    return [
        service
        for path, mine in builders.items()
        if any(building.covers(run, inventory.dockerfiles_by_path[path], inventory, set(builders)) for run in builds)
        for service in mine
    ]


def _evidence(workflow: Workflow, job: Job, unused: dict[str, Pushed], built: list[Service]) -> Evidence:
    names = sorted(unused)
    first = built[0]
    hooked = any(deploy_hooks.place(workflow, other) for other in workflow.jobs)
    unless = ", unless the platform does whose hook the workflow calls" if hooked else ""
    if not hooked and workflow_events.is_started_by_person(workflow):
        unless = ", unless the releases are for others to run"
    return Evidence(
        f"The job {job.id} pushes {listed(names)}, and nothing in the repository runs what it pushed: "
        f"{first.location.file} builds {listed(service.name for service in built)} anew"
        f"{unless}.",
        unused[names[0]].location,
        subject="/".join((job.workflow, *names)),
        related=tuple(Related(service.location, f"builds {service.name} from the source") for service in built[:6]),
        recommendation=f"Let {listed(service.name for service in built)} run the published image by its version, and "
        "deploy by pulling it.",
        confidence=Confidence.LOW if hooked else None,
        example=compose_lines.of_service(first, f"image: {_reference(unused[names[0]])}  # in place of build"),
    )
