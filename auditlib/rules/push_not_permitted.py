"""A job pushes to its repository, and its token may not.

`permissions` takes away every right that it doesn't name. Without `contents: write` GitHub answers the push, the tag or
the release with "403", without `packages: write` its registry the push of an image, and the job fails in its last step,
after all the work.

Anti-pattern:

    permissions:
      contents: read
    steps:
      - run: git push
      - run: docker push ghcr.io/shop/api  # needs `packages: write`

Better:

    permissions:
      contents: write
    steps:
      - run: git push

Recommendation:

    Give the job that pushes `contents: write`, the one that pushes images `packages: write`, and no other job.

References:

- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
- https://docs.github.com/en/actions/concepts/security/github_token
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from auditlib.conventions import known_actions, own_token
from auditlib.conventions.own_token import Change
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Workflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that changes the repository, or its packages, by the run's own token, whose `permissions` forbid it."""
    for workflow in inventory.workflows:
        for job in itertools.filterfalse(known_actions.is_switched_off, workflow.jobs):
            rights = job.permissions if job.permissions is not None else workflow.permissions
            if rights is None or ("*", "write-all") in rights:
                continue
            made = None if ("contents", "write") in rights else next(own_token.changes(job), None)
            if made and own_token.is_the_only_one(workflow, job):
                yield _evidence(workflow, job, made, rights, "contents")
            image = None if ("packages", "write") in rights else next(own_token.images(workflow, job), None)
            if image:
                yield _evidence(workflow, job, image, rights, "packages")


_DOES = {
    "push": "pushes to the repository", "tag": "pushes a tag", "release": "makes a release",
    "image": "pushes an image to ghcr.io",
}  # fmt: skip


def _evidence(workflow: Workflow, job: Job, made: Change, rights: tuple[tuple[str, str], ...], needed: str) -> Evidence:
    allowed = ", ".join(level if name == "*" else f"{name}: {level}" for name, level in rights) or "nothing"
    kept = "".join(f"\n  {name}: {level}" for name, level in rights if name not in (needed, "*"))
    whose = "its `permissions`" if job.permissions is not None else f"the `permissions` of {workflow.file}"
    return Evidence(
        f"The job {job.id} {_DOES[made.kind]} with the token of its run, and {whose} allow {allowed}, not "
        f"`{needed}: write`: "
        "GitHub refuses it.",
        made.location,
        subject=f"{job.id}/{made.kind}",
        related=(Related(job.location, f"{job.id} lacks the right"),),
        recommendation=f"Give the job {job.id} `{needed}: write`.",
        example=workflow_lines.of_job(workflow.file, job.id, f"permissions:\n  {needed}: write{kept}"),
    )
