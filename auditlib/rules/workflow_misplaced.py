"""A workflow lies where GitHub doesn't look for it.

GitHub runs what is in `.github/workflows` at the root of the repository, and nothing else. A workflow in a folder
without the dot, or in the `.github` of a part of the repository, never starts: no test, no build, no deployment, and
no message that says so.

Anti-pattern:

    github/workflows/ci.yml        # the dot is missing
    backend/.github/workflows/ci.yml

Better:

    .github/workflows/ci.yml

Recommendation:

    Move the workflow to `.github/workflows` at the root, and set `working-directory` where it works in a part of it.

References:

- https://docs.github.com/en/actions/concepts/workflows-and-actions/workflows
- https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import StrayWorkflow
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import listed
from auditlib.rules._rule import Evidence, rule

_HOME = ".github/workflows"


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each folder with workflows that is not the one at the root."""
    by_folder: dict[str, list[StrayWorkflow]] = {}
    for item in inventory.stray_workflows:
        by_folder.setdefault(posixpath.dirname(item.path), []).append(item)
    for folder, found in by_folder.items():
        yield _evidence(inventory, folder, found)


def _evidence(inventory: Inventory, folder: str, found: list[StrayWorkflow]) -> Evidence:
    first, *others = found
    part = folder.removesuffix(f"/{_HOME}") if folder.endswith(f"/{_HOME}") else ""
    jobs = [job for item in found for job in item.jobs]
    doubt = f", unless {part} is pushed to a repository of its own" if part else ""
    run = "runs" if not others else "run"
    return Evidence(
        f"{listed(item.path for item in found)} never {run}, with {listed(jobs, limit=4)}: GitHub looks in {_HOME} of "
        f"the root only{doubt}.",
        first.location,
        subject=folder,
        related=tuple(Related(item.location, "never runs either", member=True) for item in others),
        recommendation=f"Move {listed((item.path for item in found), limit=2)} to {_HOME}"
        f"{f', with `working-directory: {part}`' if part else ''}.",
        severity=Severity.MEDIUM if part or inventory.workflows else None,
        confidence=Confidence.MEDIUM if part or folder == "workflows" else None,
        example="\n".join([f"mkdir -p {_HOME}", *(f"git mv {shlex.quote(item.path)} {_moved(item, part)}"
                                                   for item in found)]),
    )  # fmt: skip


def _moved(item: StrayWorkflow, part: str) -> str:
    """Where a workflow goes, under a name that none has there."""
    name = posixpath.basename(item.path)
    return shlex.quote(f"{_HOME}/{part.replace('/', '-')}-{name}" if part else f"{_HOME}/{name}")
