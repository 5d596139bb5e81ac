"""A job asks for an action or a runner that GitHub has switched off.

GitHub fails a job at once that uses a retired release of its own actions, and one whose runner is gone waits until it
is cancelled. Nothing in the repository changed; the tests and deployments of the job no longer run.

Anti-pattern:

    jobs:
      test:
        runs-on: ubuntu-20.04
        steps:
          - uses: actions/upload-artifact@v3

Better:

    jobs:
      test:
        runs-on: ubuntu-24.04
        steps:
          - uses: actions/upload-artifact@v4

Recommendation:

    Move to a release that GitHub supports, and let Dependabot propose the next ones.

References:

- https://github.com/actions/upload-artifact/blob/main/docs/MIGRATION.md
- https://github.com/actions/cache/discussions/1510
- https://github.com/actions/runner-images/issues/11101
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_ARTIFACTS = {"v1": "June 2024", "v2": "June 2024", "v3": "January 2025"}
_ACTIONS = {
    "actions/upload-artifact": (_ARTIFACTS, "v4"),
    "actions/download-artifact": (_ARTIFACTS, "v4"),
    "actions/upload-pages-artifact": ({"v1": "January 2025", "v2": "January 2025"}, "v3"),
    "actions/cache": ({"v1": "March 2025", "v2": "March 2025"}, "v4"),
}
"""By action: the releases that GitHub refuses since a month, and the one to move to."""
_RUNNERS = {
    "ubuntu-16.04": ("September 2021", "ubuntu-24.04"), "ubuntu-18.04": ("April 2023", "ubuntu-24.04"),
    "ubuntu-20.04": ("April 2025", "ubuntu-24.04"), "windows-2016": ("April 2022", "windows-2022"),
    "windows-2019": ("June 2025", "windows-2022"), "macos-10.15": ("August 2022", "macos-15"),
    "macos-11": ("June 2024", "macos-15"), "macos-12": ("December 2024", "macos-15"),
    "macos-13": ("December 2025", "macos-15"),
}  # fmt: skip


_UPLOAD = "actions/upload-artifact"
_OF_MATRIX = regex(r"\$\{\{\s*matrix\.[\w-]+\s*\}\}")
_HIDDEN = regex(r"(?:^|[\s/])\.\w")
_NEVER = regex(r"(?:\$\{\{\s*)?false(?:\s*\}\})?", re.I)
_Use = tuple[str, Location, tuple[str, ...]]
"""A job, the place where it asks for something, and what has to be minded when that is replaced."""


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each workflow and thing that is gone."""
    for workflow in inventory.workflows:
        if not workflow.file.startswith(".github/"):
            continue  # another forge has runners and actions of its own
        found: dict[str, list[_Use]] = {}
        for job in workflow.jobs:
            for name, place, notes in _retired(job) if not _NEVER.fullmatch(job.condition.strip()) else ():
                found.setdefault(name, []).append((job.id, place, notes))
        for name, uses in found.items():
            yield _evidence(workflow.file, name, uses)


def _retired(job: Job) -> Iterator[tuple[str, Location, tuple[str, ...]]]:
    """What a job asks for and GitHub no longer has, with what has to be minded when it is replaced."""
    if job.runs_on in _RUNNERS:
        yield job.runs_on, job.location, ()
    for axis, values in job.matrix if _OF_MATRIX.fullmatch(job.runs_on) else ():
        if axis == job.runs_on.strip("${ }").removeprefix("matrix."):
            yield from ((value, job.location, (axis,)) for value in values if value in _RUNNERS)
    for step in job.steps:
        action, _, release = step.uses.partition("@")
        known = action in _ACTIONS and release.partition(".")[0] in _ACTIONS[action][0]
        if known and not _NEVER.fullmatch(step.condition.strip()):
            yield step.uses, step.location, tuple(_notes(job, step)) if action == _UPLOAD else ()


def _notes(job: Job, step: Step) -> Iterator[str]:
    """What version 4 of the upload does otherwise: hidden files stay behind, and a name may be taken once only."""
    given = {pair.name: pair.value for pair in step.inputs}
    if _HIDDEN.search(given.get("path", "")):
        yield "    include-hidden-files: true"
    if job.matrix and "$" not in given.get("name", ""):
        yield "    name: <a name of its own for each run of the matrix>"


def _evidence(workflow: str, name: str, uses: list[_Use]) -> Evidence:
    (job, first, notes), *others = uses
    if name in _RUNNERS:
        since, new = _RUNNERS[name]
        message = f"The job {job} asks for the runner {name}, which GitHub took away in {since}: it never starts."
        change, line = (name, new), f"jobs:\n  {job}:\n    runs-on: {new}"
        if notes:
            line = f"jobs:\n  {job}:\n    strategy:\n      matrix:\n        {notes[0]}: [{new}, <the others>]"
    else:
        action, _, release = name.partition("@")
        releases, new = _ACTIONS[action]
        since = releases[release.partition(".")[0]]
        message = f"The job {job} uses {name}, which GitHub has refused since {since}: the job fails at once."
        change = (name, f"{action}@{new}")
        line = "\n".join([f"- uses: {action}@{new}", *(["  with:", *notes] if notes else [])])
    noted = any(each for _, _, each in uses)
    return Evidence(
        message,
        first,
        subject=f"{workflow}/{name}",
        related=tuple(Related(place, f"the job {other} asks for it too", member=True) for other, place, _ in others),
        recommendation=f"Write {change[1]} in place of {name}.",
        change=("", "") if noted else change,
        example=files.into(workflow, line),
    )
