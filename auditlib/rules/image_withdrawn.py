"""An image is used that its registry no longer holds.

Bitnami took the releases of its images off Docker Hub in 2025: under `bitnami/` there is only a choice of images tagged
`latest`, and the releases lie under `bitnamilegacy/`, where nothing is mended any more. MinIO removed `minio/minio` and
`minio/mc` from Docker Hub in September 2026; quay.io holds the same tags, and gets no new ones. A host that has the
image goes on; a new host, a pipeline and `docker compose pull` fail.

Anti-pattern:

    kafka:
      image: bitnami/kafka:3.7

Better:

    kafka:
      image: apache/kafka:3.9.1

Recommendation:

    Move to an image that is maintained, such as the official one of the project.

References:

- https://github.com/bitnami/containers/issues/83267
- https://hub.docker.com/u/bitnamilegacy
- https://quay.io/repository/minio/minio
- https://github.com/minio/minio
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import builds, environments, images, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Workflow
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_REGISTRIES = ("docker.io/", "index.docker.io/", "registry-1.docker.io/")
_OFFICIAL = {
    "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "mongodb": "mongo", "redis": "redis",
    "rabbitmq": "rabbitmq", "kafka": "apache/kafka", "zookeeper": "zookeeper", "nginx": "nginx",
    "elasticsearch": "elasticsearch", "memcached": "memcached", "node": "node", "python": "python",
    "wordpress": "wordpress", "cassandra": "cassandra", "influxdb": "influxdb", "prometheus": "prom/prometheus",
    "grafana": "grafana/grafana", "kubectl": "registry.k8s.io/kubectl", "keycloak": "quay.io/keycloak/keycloak",
}  # fmt: skip
"""By the name of Bitnami's image the one that the project itself, or Docker, publishes."""


_MINIO = frozenset({"minio/minio", "minio/mc"})


class _Owner(Struct, frozen=True):
    """Whose images are gone, what it did, and how sure that is of all of them."""

    key: str
    did: str
    confidence: Confidence


_BITNAMI = _Owner("bitnami", "as Bitnami withdrew its releases in 2025", Confidence.MEDIUM)
_OF_MINIO = _Owner("minio", "from which MinIO removed its images in September 2026", Confidence.HIGH)


class _Use(Struct, frozen=True):
    """An image that is started or built on."""

    image: str
    location: Location
    service: str | None


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project, Dockerfile or workflow, with the images that it asks Docker Hub for in vain."""
    for project, mine in stacks.by_project(inventory.distinct_services).items():
        used = [_Use(item.image, item.image_location, item.name) for item in mine if item.build is None]
        yield from _found(project, used)
    for file in inventory.dockerfiles:
        bases = [_Use(stage.base, stage.location, None) for stage in file.stages]
        taken = [_Use(image, item.location, None) for image, item in builds.borrowed(inventory, file)]
        yield from _found(file.path, bases + taken)
    for workflow in inventory.workflows:
        yield from _found(workflow.file, list(_of_jobs(workflow)), checks=True)


def _of_jobs(workflow: Workflow) -> Iterator[_Use]:
    for job in workflow.jobs:
        yield _Use(job.container, job.location, None)
        yield from (_Use(item.image, item.location, None) for item in job.services)


def _found(subject: str, used: list[_Use], *, checks: bool = False) -> Iterator[Evidence]:
    for owner in (_BITNAMI, _OF_MINIO):
        gone = [item for item in used if _withdrawn_by(item.image) is owner]
        if gone:
            yield _evidence(subject, owner, gone, checks=checks)


def _withdrawn_by(image: str) -> _Owner | None:
    """Who took an image off Docker Hub; of Bitnami's a digest may be there still, as is `latest`."""
    name = _on_hub(image)
    if name is None or "$" in image:
        return None
    if name in _MINIO:
        return _OF_MINIO
    release = "@" not in image and images.tag(image) not in ("", "latest")
    return _BITNAMI if name.startswith("bitnami/") and release else None


def _on_hub(image: str) -> str | None:
    """The repository of an image of Docker Hub; None for one of another registry."""
    registry = next((item for item in _REGISTRIES if image.startswith(item)), "")
    name = image.removeprefix(registry).partition("@")[0].partition(":")[0]
    return name if "." not in name.partition("/")[0] and ":" not in image.partition("/")[0] else None


def _evidence(subject: str, owner: _Owner, gone: list[_Use], *, checks: bool) -> Evidence:
    first, *others = gone
    names = listed(dict.fromkeys(item.image for item in gone))
    one = len({item.image for item in gone}) == 1
    it = "it" if one else "them"
    milder = checks or environments.is_for_development(first.location.file)
    elsewhere = _elsewhere(first.image)
    return Evidence(
        f"{names} {'is' if one else 'are'} no longer on Docker Hub, {owner.did}: a host without {it} can't start what "
        f"runs {it}, unless a mirror keeps {it}.",
        first.location,
        subject=f"{subject}/{owner.key}",
        service=first.service,
        related=tuple(Related(item.location, f"{item.image} is gone as well", member=True) for item in others),
        recommendation=_advice(gone, owner),
        severity=Severity.MEDIUM if milder else None,
        confidence=owner.confidence,
        change=(first.image, elsewhere) if owner is _OF_MINIO and not others else ("", ""),
        example=files.into(first.location.file, _line(first, elsewhere)),
    )


def _elsewhere(image: str) -> str:
    """What to ask for in its place: MinIO's image of its other registry, or the official one of what Bitnami packed."""
    name = _on_hub(image) or ""
    if name in _MINIO:
        return f"quay.io/{image[image.index(name) :]}"
    packed = name.removeprefix("bitnami/")
    return f"{_OFFICIAL.get(packed) or f'<an image of {packed}>'}:<release>"


def _line(use: _Use, image: str) -> str:
    built = use.location.file.rpartition("/")[2].startswith("Dockerfile")
    return f"FROM {image}" if built and use.service is None else f"image: {image}"


def _advice(gone: list[_Use], owner: _Owner) -> str:
    names = dict.fromkeys(_on_hub(item.image) or "" for item in gone)
    if owner is _OF_MINIO:
        there = listed(f"quay.io/{name}" for name in names)
        return f"Pull {there}, of the same tags, and plan for a store that is still maintained."
    instead = _OFFICIAL.get(next(iter(names)).removeprefix("bitnami/"), "")
    advice = f"Use {instead} in its place" if instead else "Use an image that the project itself publishes"
    return f"{advice}; its variables and folders differ, so move the data by a dump."
