"""The same program runs in different versions in different places.

Tests against another major version of a database prove little about the one that runs. Browser tests fail at once where
the image of Playwright and its library differ, since the image holds the browsers of its own version only.

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

import re
from collections.abc import Iterator

from auditlib.conventions import images, stacks
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Requirement
from auditlib.inventory.stack import Service
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules._rule import Evidence, rule
from auditlib.rules._wording import listed

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?")
_ELASTIC = re.compile(
    r"^(?:docker\.elastic\.co/.+|(?:.+/)?(?:elasticsearch|kibana|logstash|apm-server|filebeat|metricbeat|heartbeat))$"
)
"""https://www.elastic.co/support/matrix#matrix_compatibility"""
_PLAYWRIGHT = frozenset({"@playwright/test", "playwright", "playwright-test"})


@rule(area=Area.ORCHESTRATION, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every image of a workflow in another major version than all of Compose's, and Playwright's image and library."""
    running: dict[str, list[Service]] = {}
    for service in inventory.services:
        if service.build is None and _version(service.image):
            running.setdefault(images.repository(service.image), []).append(service)
    for job in inventory.jobs:
        for item in job.services:
            services = running.get(images.repository(item.image), [])
            tested, runs = _version(item.image), {_version(service.image)[:1] for service in services}
            if tested and runs and tested[:1] not in runs:
                yield Evidence(
                    f"The job {job.id} tests with {item.image}; Compose runs "
                    f"{listed(service.image for service in services)}.",
                    item.location,
                    subject=f"{job.id}/{item.name}",
                    service=services[0].name,
                    related=tuple(Related(service.image_location, f"{service.image} runs") for service in services),
                    recommendation=f"Use {services[0].image} in the job {job.id} too.",
                )
    yield from _playwright(inventory, running)
    for services in stacks.by_project(inventory.distinct_services).values():
        yield from _elastic(services)


def _elastic(services: list[Service]) -> Iterator[Evidence]:
    """Programs of the Elastic Stack, which belong together by their version, in one project."""
    mine = [item for item in services if item.build is None and _ELASTIC.search(images.repository(item.image))]
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
            confidence=Confidence.MEDIUM,
        )


def _version(image: str) -> tuple[int, ...]:
    """Major and minor version of an image's tag; empty for a tag that names none."""
    match = _VERSION.match(image.partition("@")[0].rpartition("/")[2].partition(":")[2])
    return tuple(int(part) for part in match.groups() if part) if match else ()


def _playwright(inventory: Inventory, running: dict[str, list[Service]]) -> Iterator[Evidence]:
    libraries = [item for manifest in inventory.manifests for item in manifest.requirements if item.name in _PLAYWRIGHT]
    for repository, services in running.items():
        for service in services if repository.rpartition("/")[2] == "playwright" else ():
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
                )


def _fits(image: tuple[int, ...], library: Requirement) -> bool:
    """Whether a version of the library that the constraint allows goes with the image."""
    match = _VERSION.search(library.constraint)
    if not match or len(image) < 2 or not match[2] or library.constraint.startswith(("<", "*")):
        return True
    least = (int(match[1]), int(match[2]))
    exact = library.constraint[:1].isdigit() or library.constraint.startswith(("=", "~"))
    return image[:2] == least if exact else image[:2] >= least
