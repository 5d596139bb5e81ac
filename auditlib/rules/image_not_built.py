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

import posixpath
import shlex
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, environments, services, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Dockerfile
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted, listed
from auditlib.pipeline import Pipeline, Run
from auditlib.rules._rule import Evidence, rule

_INPUT = regex(r"\b(?:context|file|dockerfile)=(?P<path>\S+)")

_STEPS = 6


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for all Dockerfiles that no workflow builds."""
    if deployment.other_ci(inventory):  # what it runs isn't read
        return
    found = pipeline.of(inventory, inventory.workflows)
    builds = [run for run in found.runs if pipeline.builds_images(run, inventory)]
    composed = {item.path for service in inventory.services if (item := services.dockerfile(inventory, service))}
    missing = [
        item
        for item in inventory.dockerfiles
        if _counts(item) and not any(_covers(run, item, inventory, composed) for run in builds)
    ]
    if missing and not _may_build(found):
        yield _evidence(inventory, missing, found)


def _counts(dockerfile: Dockerfile) -> bool:
    """Images for development alone need no build by a workflow."""
    return not environments.is_for_development(dockerfile.path)


def _covers(run: Run, dockerfile: Dockerfile, inventory: Inventory, composed: set[str]) -> bool:
    """Whether a build may be one of this Dockerfile: a build that doesn't clearly name another one counts."""
    folder = posixpath.dirname(dockerfile.path)
    if "compose" in run.text.partition("build")[0]:
        return dockerfile.path in composed
    named = [match["path"] for match in _INPUT.finditer(run.text)] or _paths(run, inventory)
    if not named or any("$" in path for path in named):
        return True
    places = {posixpath.normpath(posixpath.join(run.folder or "", path)) for path in named} | {
        posixpath.normpath(path) for path in named
    }
    files = places & set(inventory.dockerfiles_by_path)
    return dockerfile.path in files if files else (folder or ".") in places


def _paths(run: Run, inventory: Inventory) -> list[str]:
    """The words of `docker build` that are a folder or a Dockerfile of the repository."""
    known = {posixpath.dirname(item.path) or "." for item in inventory.dockerfiles} | {
        item.path for item in inventory.dockerfiles
    }
    words = [posixpath.normpath(word.partition("=")[2] or word) for word in run.text.split()]
    return [
        word for word in words if word in known or posixpath.normpath(posixpath.join(run.folder or "", word)) in known
    ]


def _may_build(found: Pipeline) -> bool:
    return any(tools.MAY_BUILD.search(run.text) for run in found.opaque)


def _evidence(inventory: Inventory, missing: list[Dockerfile], found: Pipeline) -> Evidence:
    first, *others = missing
    how = "no workflow builds" if inventory.workflows else "the repository has no workflow that builds"
    what = "it" if len(missing) == 1 else f"these {counted(len(missing), 'image')}"
    return Evidence(
        f"{listed(item.path for item in missing)}: {how} {what}.",
        first.location,
        subject="images",
        related=(
            *(Related(item.location, "no workflow builds it either", member=True) for item in others),
            *(Related(item.location, "builds no image") for item in inventory.workflows[:3]),
        ),
        recommendation=f"Add a job to {deployment.workflow_file(inventory)} that builds "
        f"{listed((item.path for item in missing), limit=4)} on every pull request.",
        confidence=Confidence.MEDIUM if found.opaque else None,
        example="\n".join(_step(inventory, item) for item in missing[:_STEPS]),
    )


def _step(inventory: Inventory, dockerfile: Dockerfile) -> str:
    """The step that builds it, with the context that Compose builds it with."""
    users = (item for item in inventory.services if services.dockerfile(inventory, item) == dockerfile)
    context = next((item.build.context for item in users if item.build), posixpath.dirname(dockerfile.path) or ".")
    return f"- run: docker build --file {shlex.quote(dockerfile.path)} {shlex.quote(context)}"
