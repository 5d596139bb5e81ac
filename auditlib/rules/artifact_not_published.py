"""A job writes reports that nobody can see after it ended.

The runner is thrown away with the job, and with it coverage reports, screenshots, videos and traces. Who has to find
out why a browser test failed can only read the log, or run it again and hope that it fails once more.

Anti-pattern:

    - run: npx playwright test

Better:

    - run: npx playwright test
    - uses: actions/upload-artifact@v4
      if: always()
      with:
        name: playwright-report
        path: playwright-report

Recommendation:

    Upload the reports at the end of the job, with `if: always()`, so that a failed run keeps them too.

References:

- https://docs.github.com/en/actions/tutorials/store-and-share-data
- https://playwright.dev/docs/ci-intro
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import tools
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Pipeline, Run
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_PRINTED = regex(r"--(?:cov-report|coverage\.?reporters?|coverageReporters|reporter)[= ](?:term|text)")
"""Options with which a run prints its report into the log as well, where it stays."""
_RECORDED = regex(r"\bcypress\b.*\s--record\b")
"""What keeps its results in a service of its own."""
_PRINTS = regex(r"\bgo\s+tool\s+cover\b.*-func\b|\bcoverage\s+report\b")
"""What prints a report that a run before has written."""


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every job that runs browser tests, or writes a report, and uploads nothing."""
    found = pipeline.of(inventory, inventory.workflows)
    for job in inventory.jobs:
        runs = found.of_job(job)
        reports = [run for run in runs if _reports(run) and not _is_vain(inventory, job, run)]
        shown = any(tools.REPORTING.search(run.text) for run in runs)
        shown = shown or any(_PRINTS.search(run.text) for run in runs)
        shown = shown or any(
            pair.name == "record" and pair.value == "true" for step in job.steps for pair in step.inputs
        )
        shown = shown or any("GITHUB_STEP_SUMMARY" in step.run for step in job.steps)
        if reports and not shown and not _kept_before(inventory, found, job, reports):
            kinds = [_kind(run) for run in reports]
            yield Evidence(
                f"The job {job.id} writes {listed(kinds)}, and no step uploads anything: they are gone when the job "
                "ends.",
                reports[0].location,
                subject=f"{job.workflow}/{job.id}",
                related=(Related(job.location, f"the job {job.id}"),),
                recommendation=f"End the job {job.id} with `actions/upload-artifact` and `if: always()` for "
                f"{listed(kinds)}.",
                example=workflow_lines.step(job.workflow, job.id, _upload(reports[0])),
                confidence=Confidence.MEDIUM if found.is_opaque(job) or any(map(_is_browser_test, reports)) else None,
            )


def _kept_before(inventory: Inventory, found: Pipeline, job: Job, reports: list[Run]) -> bool:
    """Whether jobs that this one waits for ran just these tests, and kept what they report."""
    before = [item for item in inventory.jobs if item.workflow == job.workflow and item.id in job.needs]
    told = {run.text for item in before for run in found.of_job(item)
            if any(tools.REPORTING.search(other.text) for other in found.of_job(item))}  # fmt: skip
    return all(run.text in told for run in reports)


def _reports(run: Run) -> bool:
    return (_is_browser_test(run) and not _RECORDED.search(run.text)) or _is_test_with_report(run)


def _is_vain(inventory: Inventory, job: Job, run: Run) -> bool:
    """Whether a run has no test to report on: the repository, which the job checks out, holds none."""
    return Workspace(inventory, job).holds_repository and tools.lacks_tests(inventory, tools.test_framework(run.text))


def _is_browser_test(run: Run) -> bool:
    return any(tools.TEST_FRAMEWORKS[name].search(run.text) for name in tools.END_TO_END)


def _is_test_with_report(run: Run) -> bool:
    return bool(tools.MAKES_REPORT.search(run.text)) and not _PRINTED.search(run.text)


def _upload(run: Run) -> str:
    """The step that keeps a report, from where the tool writes it by default."""
    browser = _is_browser_test(run)
    name = "browser-tests" if browser else "test-report"
    path = "playwright-report" if "playwright" in run.text else "<where the run writes its report>"
    inputs = f"name: {name}\n    path: {posixpath.join(run.folder or '', path)}"
    return f"- uses: actions/upload-artifact@v4\n  if: always()\n  with:\n    {inputs}"


def _kind(run: Run) -> str:
    return (
        "what browser tests leave (reports, screenshots)" if _is_browser_test(run) else "a report of tests or coverage"
    )
