"""The same program runs in different versions in different places.

Tests against another major version of a database prove little about the one that runs. Browser tests fail at once
where the image of Playwright and its library differ, since the image holds the browsers of its own version only. A tag
of a major version alone (`16`) moves with the minor ones, so that `16.4` is no other version.

Anti-pattern:

    # compose.yaml
    db:
      image: postgres:16
    # .github/workflows/ci.yml
    services:
      postgres:
        image: postgres:13

Better:

    # .github/workflows/ci.yml
    services:
      postgres:
        image: postgres:16

Recommendation:

    Use the version that runs in production everywhere, and raise it in all places at once.

References:

- https://playwright.dev/docs/docker
- https://docs.github.com/en/actions/using-containerized-services/about-service-containers
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib.conventions import images, pushed_images, services, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, JobService, Requirement
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _compose_lines as compose_lines
from auditlib.rules import _files as files
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_VERSION = regex(r"v?(\d+)(?:\.(\d+))?")
_ELASTIC = regex(
    r"^(?:docker\.elastic\.co/.+|(?:.+/)?(?:elasticsearch|kibana|logstash|apm-server|filebeat|metricbeat|heartbeat))$"
)
"""https://www.elastic.co/support/matrix#matrix_compatibility"""
_NUMBERS = regex(r"\d+(?:[.-]\d+)?")
_TWO_PARTS = frozenset({"MySQL", "MariaDB"})
"""Products of which 8.0 and 8.4, or 10.6 and 10.11, are series of their own
(https://dev.mysql.com/doc/refman/8.4/en/mysql-releases.html)."""
_OVER_POSTGRES = regex(r"pgvector/pgvector|(?:postgis|imresamu)/postgis|timescale/timescaledb(?:-ha)?")
_OF_POSTGRES = regex(r"(?:^|-)pg(\d+)(?:\.(\d+))?(?![\w.])")
"""`pg16`, `2.17-pg16`, where what comes first is the version of the extension."""
_OF_DEPLOYMENT = frozenset({
    "deploy", "deployment", "deployments", "docker", "compose", "infra", "infrastructure", "ops", "devops", "prod",
    "production", "staging", "dev", "development", "local",
})  # fmt: skip
_PLAYWRIGHT = frozenset({"@playwright/test", "playwright", "playwright-test"})


_Run = tuple[Service, str]
"""A service and the image that it runs, or that its own image is built on."""


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Images of jobs and clusters in other versions than Compose's, data stores in several, Playwright's library."""
    running: defaultdict[str, list[_Run]] = defaultdict(list)
    for service in inventory.services:
        if _version(image := _image(inventory, service)):
            running[_program(image)].append((service, image))
    yield from _of_jobs(inventory, running)
    yield from _of_pipelines(inventory, running)
    yield from _of_clusters(inventory, running)
    for found in running.values():
        yield from _between_files(inventory, found)
    yield from _playwright(inventory, running)
    for together in stacks.by_project(inventory.distinct_services).values():
        yield from _elastic(together)


def _image(inventory: Inventory, service: Service) -> str:
    """The image of a service; of one that is built, the data store that it is built on, if it is one."""
    if service.build is None:
        return service.image
    product = services.product(inventory, service)
    return services.built_from(inventory, service)[0] if product and product.kind in services.DATASTORES else ""


def _of_jobs(inventory: Inventory, running: dict[str, list[_Run]]) -> Iterator[Evidence]:
    """What no job tests with the version that runs; a job for each of several versions is meant so."""
    for job in inventory.jobs:
        for item in job.services:
            mine = _images_of(job, item)
            found = running.get(_program(mine[0]), [])
            tested = {*mine, *_tested_by_others(inventory, job, _program(mine[0]))}
            known = found and all(map(_version, mine))
            if known and all(_differ(each, image) for each in tested for _, image in found):
                yield Evidence(
                    f"The job {job.id} tests with {listed(mine)}; Compose runs {listed(image for _, image in found)}.",
                    item.location,
                    subject=f"{job.id}/{item.name}",
                    service=found[0][0].name,
                    related=tuple(Related(service.image_location, f"{image} runs") for service, image in found),
                    recommendation=f"Use {found[0][1]} in the job {job.id} too.",
                    change=(item.image, found[0][1]),
                    example=workflow_lines.of_job(
                        job.workflow, job.id, f"services:\n  {item.name}:\n    image: {found[0][1]}"
                    ),
                )


def _of_pipelines(inventory: Inventory, running: dict[str, list[_Run]]) -> Iterator[Evidence]:
    """What GitLab's jobs test with, where none of them does with the version that runs."""
    for item in inventory.pipeline_services:
        found = running.get(_program(item.image), [])
        same = [other.image for other in inventory.pipeline_services if _program(other.image) == _program(item.image)]
        product = services.product(inventory, found[0][0]) if found and _version(item.image) else None
        stored = product is not None and product.kind in services.DATASTORES
        if stored and all(_differ(each, image) for each in same for _, image in found if _version(each)):
            who = f"The job {item.name} tests" if item.name else "Every job tests"
            yield Evidence(
                f"{who} with {item.image}; Compose runs {listed(dict.fromkeys(image for _, image in found))}.",
                item.location,
                subject=f"{item.name}/{item.image}",
                service=found[0][0].name,
                related=tuple(Related(service.image_location, f"{image} runs") for service, image in found),
                recommendation=f"Use {found[0][1]} in {item.location.file} too.",
                change=(item.image, found[0][1]),
            )


def _images_of(job: Job, item: JobService) -> list[str]:
    """The images that a service of a job runs: one of a matrix each of its values."""
    return pushed_images.expanded(item.image, job, {})


def _tested_by_others(inventory: Inventory, job: Job, program: str) -> list[str]:
    """The images of a program that the other jobs test with."""
    others = (each for other in inventory.jobs if other is not job for item in other.services
              for each in _images_of(other, item))  # fmt: skip
    return [image for image in others if _program(image) == program and _version(image)]


def _of_clusters(inventory: Inventory, running: dict[str, list[_Run]]) -> Iterator[Evidence]:
    """Data stores that a manifest runs in another version than Compose."""
    for item in (image for file in inventory.cluster_files for image in file.images):
        found = running.get(_program(item.image), [])
        product = services.product(inventory, found[0][0]) if found and _version(item.image) else None
        stored = product is not None and product.kind in services.DATASTORES
        if stored and all(_differ(item.image, image) for _, image in found):
            yield Evidence(
                f"{item.location.file} runs {item.image} in the cluster; Compose runs "
                f"{listed(dict.fromkeys(image for _, image in found))}.",
                item.location,
                subject=f"{item.location.file}/{images.repository(item.image)}",
                service=found[0][0].name,
                related=tuple(Related(service.image_location, f"{image} runs") for service, image in found),
                recommendation=f"Use one major version of {images.repository(item.image)} in Compose and the cluster.",
                example=files.into(item.location.file, f"image: {images.repository(item.image)}:<what Compose runs>"),
            )


def _home(file: str) -> str:
    """The folder of what a Compose file is about: that of a deployment (`deploy/`, `docker/prod/`) is about the one
    above it.
    """
    parts = posixpath.dirname(file).split("/")
    return "/".join(part for part in parts if part.lower() not in _OF_DEPLOYMENT)


def _between_files(inventory: Inventory, found: list[_Run]) -> Iterator[Evidence]:
    """A data store of one name that overlays, or other Compose files of the same folder, run in another version."""
    homes = {item.name: _home(item.location.file) for item in inventory.projects}
    alike: defaultdict[tuple[str, str], dict[Location, _Run]] = defaultdict(dict)
    for service, image in found:
        product = services.product(inventory, service)
        stored = product is not None and product.kind in services.DATASTORES
        if stored and not _names_version(service.image_location.file, image):
            alike[homes.get(service.project, ""), service.name].setdefault(service.image_location, (service, image))
    for runs in alike.values():
        (first, (service, image)), *others = runs.items()
        other = [(place, text) for place, (_, text) in others if _differ(text, image)]
        if other:
            yield Evidence(
                f"{service.name} is {other[0][1]} in {other[0][0].file}, and {image} in {first.file}.",
                other[0][0],
                subject=f"{service.name}/versions",
                service=service.name,
                related=(
                    Related(first, f"{image} runs"),
                    *(Related(place, f"{text} runs") for place, text in other[1:]),
                ),
                recommendation=f"Use one major version of {images.repository(image)} in all files.",
                example=compose_lines.of_service(service, f"image: {images.repository(image)}:<what production runs>"),
            )


def _names_version(file: str, image: str) -> bool:
    """Whether a file is there for one version, as its name says (`docker-compose.pg14.yml`, `mysql57/compose.yaml`)."""
    numbers = _NUMBERS.findall("/".join(file.split("/")[-2:]))
    version = [str(part) for part in _version(image)]
    return bool({version[0], "".join(version), ".".join(version), "-".join(version)} & set(numbers))


def _elastic(together: list[Service]) -> Iterator[Evidence]:
    """Programs of the Elastic Stack, which belong together by their version, in one project."""
    mine = [item for item in together if item.build is None and _ELASTIC.search(images.repository(item.image))]
    known = [item for item in mine if len(_version(item.image)) > 1]
    store = next((item for item in known if "elasticsearch" in item.image), None)
    others = [item for item in known if store and _version(item.image)[:2] != _version(store.image)[:2]]
    if store and others:
        names = listed(f"{item.name} ({item.image.rpartition(':')[2]})" for item in others)
        yield Evidence(
            f"{store.name} runs {store.image}, but {names} {'is' if len(others) == 1 else 'are'} of another version "
            "of the Elastic Stack: Elastic supports the same minor version on all of its parts.",
            store.image_location,
            subject=f"{store.project}/elastic",
            service=store.name,
            related=tuple(Related(item.image_location, f"{item.image} runs beside it") for item in others),
            recommendation=f"Give {listed(item.name for item in others)} the version of {store.image}.",
            example="\n".join(
                compose_lines.of_service(item, f"image: {item.image.rpartition(':')[0]}:{images.tag(store.image)}")
                for item in others
            ),
            confidence=Confidence.MEDIUM,
        )


def _program(image: str) -> str:
    """The repository of an image; that of PostgreSQL for those that only add something to it."""
    name = images.repository(image)
    return "postgres" if _OVER_POSTGRES.fullmatch(name) else name


def _version(image: str) -> tuple[int, ...]:
    """Major and minor version of an image's tag, of PostgreSQL where it stands behind `pg`; empty if it names none."""
    over = _OF_POSTGRES.search(images.tag(image)) if _program(image) == "postgres" else None
    match = over or _VERSION.match(images.tag(image))
    return tuple(int(part) for part in match.groups() if part) if match else ()


def _differ(one: str, other: str) -> bool:
    """Whether two tags name different series of releases, of which one can't simply run with the data of the other."""
    found = images.product(one)
    parts = 2 if found and found.name in _TWO_PARTS else 1
    return any(mine != theirs for mine, theirs in zip(_version(one)[:parts], _version(other)[:parts], strict=False))


def _playwright(inventory: Inventory, running: dict[str, list[_Run]]) -> Iterator[Evidence]:
    libraries = [item for manifest in inventory.manifests for item in manifest.requirements if item.name in _PLAYWRIGHT]
    for repository, runs in running.items():
        for service, _ in runs if repository.rpartition("/")[2] == "playwright" else ():
            if libraries and not any(_fits(_version(service.image), library) for library in libraries):
                library = libraries[0]
                yield Evidence(
                    f"{service.name} runs the browsers of {service.image}, but the library is "
                    f"{library.name} {library.constraint}: it looks for browsers that the image doesn't hold.",
                    service.image_location,
                    subject=f"{service.name}/playwright",
                    service=service.name,
                    related=tuple(Related(item.location, f"{item.name} {item.constraint}") for item in libraries),
                    recommendation=f"Give {service.name} the image of the library's version.",
                    example=compose_lines.of_service(service, f"image: {_of_library(service.image)}"),
                )


def _of_library(image: str) -> str:
    """The same image, on the same distribution, with a placeholder for its version."""
    release = "".join(images.tag(image).partition("-")[1:])
    return f"{image.rpartition(':')[0]}:v<the version that is installed>{release}"


def _fits(image: tuple[int, ...], library: Requirement) -> bool:
    """Whether a version of the library that the constraint allows goes with the image."""
    match = _VERSION.search(library.constraint)
    if not match or len(image) < 2 or not match[2] or library.constraint.startswith(("<", "*")):
        return True
    least = (int(match[1]), int(match[2]))
    exact = library.constraint[:1].isdigit() or library.constraint.startswith(("=", "~"))
    return image[:2] == least if exact else image[:2] >= least
