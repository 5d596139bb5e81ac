"""A deployment asks for an image by a tag under which no workflow pushes it.

The build names what it pushes in one way, the deployment what it pulls in another: the short hash of the commit here
and the long one there, the number of the run, only the commit while the host follows `latest`. The pull fails, or
brings what somebody pushed long ago.

Anti-pattern:

    # build
    tags: ghcr.io/acme/api:build-${{ github.run_number }}
    # deploy, with image: ghcr.io/acme/api:${IMAGE_TAG} in the Compose file
    env:
      IMAGE_TAG: ${{ github.sha }}

Better:

    tags: |
      ghcr.io/acme/api:${{ github.sha }}
      ghcr.io/acme/api:latest

Recommendation:

    Push the image under the tag that the deployment asks for, or ask for the one that is pushed.

References:

- https://github.com/docker/metadata-action#typesha
- https://docs.docker.com/reference/cli/docker/compose/pull/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditlib.conventions import image_tags
from auditlib.conventions.image_tags import Asked
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.phrases import listed
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.MEDIUM, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all images of a job that are asked for by a tag under which they aren't pushed."""
    pushed = image_tags.pushed(inventory)
    for workflow in inventory.workflows if pushed else ():
        for job in workflow.jobs:
            found = {
                (item.name, item.tag): item
                for item in image_tags.asked(inventory, workflow, job)
                if image_tags.lacks(pushed.get(item.name, {}), item.tag)
            }
            if found:
                yield _evidence(job, list(found.values()), pushed)


def _evidence(job: Job, asked: list[Asked], pushed: Mapping[str, Mapping[str, Location]]) -> Evidence:
    first = asked[0]
    tags = pushed[first.name]
    names = listed(dict.fromkeys(item.name for item in asked))
    place = next(iter(tags.values()))
    return Evidence(
        f"The job {job.id} asks for {names} by the tag `{first.tag}`, and the workflows push "
        f"{'it' if len(asked) == 1 else 'them'} as {listed(f'`{tag}`' for tag in tags)} only.",
        first.location,
        subject=f"{job.id}/{first.tag}",
        service=first.service.name,
        related=(
            Related(place, "pushed here"),
            *(Related(item.service.image_location, f"{item.service.name} runs {item.name}") for item in asked),
        ),
        recommendation=f"Push {names} under `{first.tag}` too, or have {job.id} ask for a tag that is pushed.",
        example=files.into(place.file, f"tags: |\n  <registry>/{first.name}:{first.tag}"),
    )
