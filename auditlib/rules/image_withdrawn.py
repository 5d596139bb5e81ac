"""An image is used that its registry no longer holds.

Bitnami took the releases of its images off Docker Hub in 2025: under `bitnami/` there is only a choice of images tagged
`latest`, and the releases lie under `bitnamilegacy/`, where nothing is mended any more. A host that has the image goes
on; a new host, a pipeline and `docker compose pull` fail.

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
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from auditlib.conventions import builds, environments, images, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_OWNER = "bitnami/"
_HUB = ("bitnami/", "docker.io/bitnami/", "index.docker.io/bitnami/", "registry-1.docker.io/bitnami/")
_OFFICIAL = {
    "postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "mongodb": "mongo", "redis": "redis",
    "rabbitmq": "rabbitmq", "kafka": "apache/kafka", "zookeeper": "zookeeper", "nginx": "nginx",
    "elasticsearch": "elasticsearch", "memcached": "memcached", "node": "node", "python": "python",
    "wordpress": "wordpress", "cassandra": "cassandra", "influxdb": "influxdb", "prometheus": "prom/prometheus",
    "grafana": "grafana/grafana", "kubectl": "registry.k8s.io/kubectl", "keycloak": "quay.io/keycloak/keycloak",
}  # fmt: skip
"""By the name of Bitnami's image the one that the project itself, or Docker, publishes."""


class _Use(Struct, frozen=True):
    """An image that is started or built on."""

    image: str
    location: Location
    service: str | None


@rule(area=Area.ORCHESTRATION, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each project, or Dockerfile, with the images of Bitnami that it asks Docker Hub for."""
    for project, mine in stacks.by_project(inventory.distinct_services).items():
        used = [_Use(item.image, item.image_location, item.name) for item in mine if item.build is None]
        yield from _found(project, used)
    for file in inventory.dockerfiles:
        bases = [_Use(stage.base, stage.location, None) for stage in file.stages]
        taken = [_Use(image, item.location, None) for image, item in builds.borrowed(inventory, file)]
        yield from _found(file.path, bases + taken)


def _found(subject: str, used: list[_Use]) -> Iterator[Evidence]:
    gone = [item for item in used if _is_gone(item.image)]
    if gone:
        yield _evidence(subject, gone)


def _is_gone(image: str) -> bool:
    """Whether it is a release of Bitnami's on Docker Hub; a digest may be there still, and so may `latest`."""
    return image.startswith(_HUB) and "@" not in image and images.tag(image) not in ("", "latest") and "$" not in image


def _evidence(subject: str, gone: list[_Use]) -> Evidence:
    first, *others = gone
    names = listed(dict.fromkeys(item.image for item in gone))
    name = images.repository(first.image).removeprefix(_OWNER)
    instead = _OFFICIAL.get(name, "")
    one = len({item.image for item in gone}) == 1
    advice = f"Use {instead} in its place" if instead else "Use an image that the project itself publishes"
    return Evidence(
        f"{names} {'is' if one else 'are'} no longer on Docker Hub, as Bitnami withdrew its releases in 2025: a host "
        f"without {'it' if one else 'them'} can't start what runs {'it' if one else 'them'}, unless a mirror keeps it.",
        first.location,
        subject=f"{subject}/bitnami",
        service=first.service,
        related=tuple(Related(item.location, f"{item.image} is gone as well", member=True) for item in others),
        recommendation=f"{advice}; its variables and folders differ, so move the data by a dump.",
        severity=Severity.MEDIUM if environments.is_for_development(first.location.file) else None,
        example=files.into(first.location.file, f"image: {instead or f'<an image of {name}>'}:<release>"),
    )
