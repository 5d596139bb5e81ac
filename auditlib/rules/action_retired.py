"""A job uses a version of an action, or a runner, that GitHub has switched off.

GitHub fails the whole job before its first step ("automatically failed because it uses a deprecated version of
actions/upload-artifact"), or keeps it waiting for a runner that doesn't exist until it gives up. What the job was to
test or deploy isn't.

Anti-pattern:

    runs-on: ubuntu-20.04
    steps:
      - uses: actions/upload-artifact@v3

Better:

    runs-on: ubuntu-24.04
    steps:
      - uses: actions/upload-artifact@v4

Recommendation:

    Use a version, or a runner, that GitHub still has.

References:

- https://github.blog/changelog/2024-04-16-deprecation-notice-v3-of-the-artifact-actions/
- https://github.blog/changelog/2024-09-16-notice-of-upcoming-deprecations-and-changes-in-github-actions-services/
- https://docs.github.com/en/actions/reference/runners/github-hosted-runners
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule


class _Retired(Struct, frozen=True):
    used: re.Pattern[str]
    since: str
    successor: str
    note: str = ""


_APART = ", which takes each name once, also in a matrix"
_ACTIONS = (
    _Retired(regex(r"actions/upload-artifact@v[12](?:\.\d+)*"), "June 2024", "actions/upload-artifact@v4", _APART),
    _Retired(regex(r"actions/download-artifact@v[12](?:\.\d+)*"), "June 2024", "actions/download-artifact@v4"),
    _Retired(regex(r"actions/upload-artifact@v3(?:\.\d+)*"), "January 2025", "actions/upload-artifact@v4", _APART),
    _Retired(regex(r"actions/download-artifact@v3(?:\.\d+)*"), "January 2025", "actions/download-artifact@v4"),
    _Retired(regex(r"actions/upload-pages-artifact@v[12](?:\.\d+)*"), "January 2025",
             "actions/upload-pages-artifact@v3"),
    _Retired(regex(r"actions/cache@v(?:[12](?:\.\d+)*|3\.[0-3](?:\.\d+)?|4\.[01](?:\.\d+)?)"), "March 2025",
             "actions/cache@v4"),
)  # fmt: skip
_RUNNERS = (
    _Retired(regex(r"ubuntu-18\.04"), "April 2023", "ubuntu-24.04"),
    _Retired(regex(r"ubuntu-20\.04"), "April 2025", "ubuntu-24.04"),
    _Retired(regex(r"macos-1[012](?:\.\d+)?"), "December 2024", "macos-15"),
    _Retired(regex(r"macos-13"), "December 2025", "macos-15"),
    _Retired(regex(r"windows-20(?:16|19)"), "June 2025", "windows-2025"),
)


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """For each workflow of GitHub one finding for every action and every runner that is gone."""
    for workflow in inventory.workflows:
        found: defaultdict[str, list[tuple[Job, Location, _Retired]]] = defaultdict(list)
        for job in workflow.jobs if workflow.file.startswith(".github/") else ():
            for name, place, gone in _uses(job):
                found[name].append((job, place, gone))
        for name, items in found.items():
            yield _evidence(workflow.file, name, items)


def _uses(job: Job) -> Iterator[tuple[str, Location, _Retired]]:
    for step in job.steps:
        yield from ((step.uses, step.location, gone) for gone in _ACTIONS if gone.used.fullmatch(step.uses))
    yield from ((job.runs_on, job.location, gone) for gone in _RUNNERS if gone.used.fullmatch(job.runs_on))


def _evidence(file: str, name: str, items: list[tuple[Job, Location, _Retired]]) -> Evidence:
    (job, place, gone), *others = items
    jobs = list(dict.fromkeys(each.id for each, *_ in items))
    runner = "@" not in name
    fate = "finds no runner" if runner else "fails before its first step"
    fates = "find no runner" if runner else "fail before their first step"
    line = f"runs-on: {gone.successor}" if runner else f"steps:\n  - uses: {gone.successor}"
    return Evidence(
        f"GitHub has had no {name} since {gone.since}, Enterprise Server apart: "
        f"{f'the job {job.id} of {file} {fate}' if len(jobs) == 1 else f'the jobs {listed(jobs)} of {file} {fates}'}.",
        place,
        subject=f"{file}/{name}",
        related=tuple(Related(other, f"{each.id} uses it too", member=True) for each, other, _ in others),
        recommendation=f"Use {gone.successor} in {file}{gone.note}.",
        example=workflow_lines.of_job(file, job.id, line),
    )
