"""What runs is built on the host that runs it, and kept nowhere.

A deployment that builds on the host takes whatever the base images, the package registries and the checkout hold at
that moment. No image of the version before lies anywhere: the way back is another build, which may come out
differently, or not at all, on the night when it is needed. Nobody can say either whether what was tested is what runs.

Anti-pattern:

    # deploy.sh on the host: git pull && docker compose up -d --build
    services:
      api:
        build: .

Better:

    services:
      api:
        image: ghcr.io/acme/shop-api:${TAG:?the commit that was tested}

Recommendation:

    Build once in the pipeline, push the image under the commit's hash, and have the hosts pull it.

References:

- https://docs.github.com/en/actions/tutorials/publish-packages/publish-docker-images
- https://docs.docker.com/build/ci/github-actions/push-multi-registries/
- https://12factor.net/build-release-run
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib.conventions import deployment, environments, images, pushed_images, services
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules._rule import Evidence, rule

_PUSHES = regex(
    r"--push\b|\btype=(?:registry|image)\b|\b(?:skopeo|crane|ko|jib|nixpacks|pack)\b|bootBuildImage|"
    r"spring-boot:build-image|buildctl|kaniko"
)
_BUILDERS = frozenset({"docker", "docker-compose", "podman", "buildah", "nerdctl"})
_VERBS = frozenset({"push", "save"})
_PUSHING = regex(
    r"build-push-action|bake-action|kaniko|buildah|push-to-registry|docker-publish|publish-docker|ko-build"
)


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for the deployed services that are built of the repository, where nothing pushes an image."""
    built = [item for item in inventory.distinct_services if _is_built_on_host(inventory, item)]
    if not built or deployment.uses_orchestrator(inventory) or deployment.unread_ci(inventory) or _pushes(inventory):
        return
    signs = deployment.signs_of_production(inventory)
    guides = deployment.guides(inventory)
    if signs or guides:
        yield _evidence(built, signs, bool(signs))


def _is_built_on_host(inventory: Inventory, service: Service) -> bool:
    """Whether Compose builds a service of the repository for production, under no name of a registry's."""
    build = service.build
    own = build is not None and not build.outside and not _names_registry(service.image)
    projects = {item.name: item for item in inventory.projects}
    project = projects.get(service.project)
    aside = project is None or project.aside or project.for_development or project.role == "overlay"
    return own and not aside and not environments.only_for_development(service) and not _wraps(inventory, service)


def _wraps(inventory: Inventory, service: Service) -> bool:
    """Whether the image is a product of others with a few files: it is made again from a tag at any time."""
    base = services.built_from(inventory, service)[0]
    file = services.dockerfile(inventory, service)
    return images.product(base) is not None and (file is None or len(file.stages) == 1)


def _names_registry(image: str) -> bool:
    """Whether an image that is built is called as one of a registry is, to which somebody may push it by hand."""
    first, slash, _ = image.partition("/")
    return bool(slash) and ("." in first or ":" in first)


def _pushes(inventory: Inventory) -> bool:
    texts = (" ".join(item.words) for item in deployment.commands(inventory))
    remote = (" ".join(item.words) for step in inventory.steps for item in step.remote)
    return (
        any(_PUSHING.search(step.uses) for step in inventory.steps)
        or any(map(_is_push, (*texts, *remote)))
        or any(job.uses and not job.uses.startswith("./") for job in inventory.jobs)
        or any(
            True for workflow in inventory.workflows for job in workflow.jobs for _ in pushed_images.of(workflow, job)
        )
    )


def _is_push(text: str) -> bool:
    words = set(text.split())
    return bool(_PUSHES.search(text) or (words & _BUILDERS and words & _VERBS))


def _evidence(built: list[Service], signs: tuple[Related, ...], deployed: bool) -> Evidence:
    first, *others = built
    names = dict.fromkeys(item.name for item in built)
    one = len(names) == 1
    return Evidence(
        f"{listed(names)} {'is' if one else 'are'} built on the host that runs {'it' if one else 'them'}: nothing in "
        f"the repository pushes an image, so that no earlier version is kept to go back to.",
        first.build.location if first.build else first.location,
        subject="images",
        service=first.name,
        related=(
            *(Related(item.build.location if item.build else item.location, f"{item.name} too", member=True)
              for item in others),
            *signs[:3],
        ),
        recommendation="Have a workflow build each image once and push it under the commit's hash, and let the hosts "
        "pull that.",
        severity=None if deployed and len(names) > 1 else Severity.LOW,
        example="\n".join(_line(item) for item in built[:4]),
    )  # fmt: skip


def _line(service: Service) -> str:
    return compose_lines.of_service(service, f"image: <registry>/<owner>/{service.name}:${{TAG:?the commit to run}}")
