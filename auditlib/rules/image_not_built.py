"""Images of the repository are built by no workflow.

A Dockerfile that nothing builds before a deployment breaks unseen: a dependency that no longer installs, a file that
was moved, a base image that is gone. It then fails on the host, in the minutes in which it should start.

Anti-pattern:

    # backend/Dockerfile exists; ci.yml installs and tests on the runner only
    - run: pip install -r requirements.txt

Better:

    - uses: docker/build-push-action@v6
      with:
        context: backend
        push: ${{ github.ref == 'refs/heads/main' }}

Recommendation:

    Build every image in the pipeline, on pull requests too, and deploy the image that was built there.

References:

- https://docs.docker.com/build/ci/github-actions/
- https://github.com/docker/build-push-action
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.dockerfile import Dockerfile
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted, listed
from auditlib.pipeline import Pipeline, building
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_STEPS = 6


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all Dockerfiles that no workflow builds."""
    if deployment.unfollowed_ci(inventory):  # what it runs isn't read
        return
    found = pipeline.of(inventory, inventory.workflows)
    builds = [run for run in found.runs if pipeline.builds_images(run, inventory)]
    composed = building.composed_by(inventory)
    missing = [
        item
        for item in inventory.dockerfiles
        if building.counts(item) and not any(building.covers(run, item, inventory, composed) for run in builds)
    ]
    if missing and not building.may_build(found):
        unused = building.by_nothing(inventory)
        missing.sort(key=lambda item: item.path in unused)
        yield _evidence(inventory, missing, found, unused=all(item.path in unused for item in missing))


def _evidence(inventory: Inventory, missing: list[Dockerfile], found: Pipeline, *, unused: bool) -> Evidence:
    first, *others = missing
    how = "no workflow builds" if inventory.workflows else "the repository has no workflow that builds"
    what = "it" if len(missing) == 1 else f"these {counted(len(missing), 'image')}"
    return Evidence(
        f"{listed(item.path for item in missing)}: {how} {what}.",
        first.location,
        subject="images",
        related=(
            *(Related(item.location, "no workflow builds it either", member=True) for item in others),
            *(
                Related(item.location, "doesn't build it" if len(missing) == 1 else "builds none of them")
                for item in inventory.workflows[:3]
            ),
        ),
        recommendation=f"Add a job to {deployment.workflow_file(inventory)} that builds "
        f"{listed((item.path for item in missing), limit=4)} on every pull request.",
        severity=Severity.LOW if unused else None,  # nothing else does, either
        confidence=Confidence.MEDIUM if found.opaque else None,
        example=workflow_lines.new_job(
            inventory,
            deployment.workflow_file(inventory),
            "images",
            "\n".join(building.step(inventory, item) for item in missing[:_STEPS]),
        ),
    )
