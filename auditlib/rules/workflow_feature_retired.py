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

from collections.abc import Iterator

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
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


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """One finding for each workflow and thing that is gone."""
    for workflow in inventory.workflows:
        if not workflow.file.startswith(".github/"):
            continue  # another forge has runners and actions of its own
        found: dict[str, list[tuple[str, Location]]] = {}
        for job in workflow.jobs:
            for name, place in _retired(job):
                found.setdefault(name, []).append((job.id, place))
        for name, uses in found.items():
            yield _evidence(workflow.file, name, uses)


def _retired(job: Job) -> Iterator[tuple[str, Location]]:
    """What a job asks for and GitHub no longer has."""
    if job.runs_on in _RUNNERS:
        yield job.runs_on, job.location
    for step in job.steps:
        action, _, release = step.uses.partition("@")
        if action in _ACTIONS and release.partition(".")[0] in _ACTIONS[action][0]:
            yield step.uses, step.location


def _evidence(workflow: str, name: str, uses: list[tuple[str, Location]]) -> Evidence:
    (job, first), *others = uses
    if name in _RUNNERS:
        since, new = _RUNNERS[name]
        message = f"The job {job} asks for the runner {name}, which GitHub took away in {since}: it never starts."
        change, line = (name, new), f"jobs:\n  {job}:\n    runs-on: {new}"
    else:
        action, _, release = name.partition("@")
        releases, new = _ACTIONS[action]
        since = releases[release.partition(".")[0]]
        message = f"The job {job} uses {name}, which GitHub has refused since {since}: the job fails at once."
        change, line = (name, f"{action}@{new}"), f"- uses: {action}@{new}"
    return Evidence(
        message,
        first,
        subject=f"{workflow}/{name}",
        related=tuple(Related(place, f"the job {other} asks for it too", member=True) for other, place in others),
        recommendation=f"Write {change[1]} in place of {name}.",
        change=change,
        example=files.into(workflow, line),
    )
