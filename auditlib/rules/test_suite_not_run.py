"""Tests exist that no workflow runs.

Tests that only run when somebody remembers don't stop a broken change. They also rot: after some months they fail for
reasons of their own, and then nobody runs them at all.

Anti-pattern:

    # tests/ exists, and .github/workflows/ci.yml has
    - run: npm test        # nothing runs pytest

Better:

    - run: npm test
    - run: pytest
      working-directory: backend

Recommendation:

    Add a job that runs the suite on every pull request.

References:

- https://docs.github.com/en/actions/use-cases-and-examples/building-and-testing
- https://docs.pytest.org/en/stable/explanation/goodpractices.html
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, tools
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import TestSuite
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.phrases import counted
from auditlib.pipeline import Pipeline, Run
from auditlib.rules._rule import Evidence, rule

_COMMANDS = {
    "pytest": "python -m pytest", "unittest": "python -m unittest discover", "playwright": "npx playwright test",
    "jest": "npx jest", "vitest": "npx vitest run", "cypress": "npx cypress run", "mocha": "npx mocha",
    "node": "node --test", "bun": "bun test",
}  # fmt: skip


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every suite that no automatic workflow runs, however indirectly."""
    if deployment.other_ci(inventory):  # what it runs isn't read
        return
    automatic = pipeline.of(inventory)
    manual = pipeline.of(inventory, [item for item in inventory.workflows if not pipeline.is_automatic(item)])
    for suite in inventory.test_suites:
        if not any(pipeline.starts(run, suite) for run in automatic.runs) and not _may_run(suite, automatic):
            by_hand = next((run for run in manual.runs if pipeline.starts(run, suite)), None)
            yield _evidence(inventory, suite, automatic, by_hand)


def _may_run(suite: TestSuite, automatic: Pipeline) -> bool:
    """Whether something that can't be followed is called in such a way that it may well run the suite."""
    wanted = tools.MAY_TEST_END_TO_END if suite.framework in tools.END_TO_END else tools.MAY_TEST
    return any(wanted.search(run.text) for run in automatic.opaque)


def _evidence(inventory: Inventory, suite: TestSuite, automatic: Pipeline, by_hand: Run | None) -> Evidence:
    where = suite.folder or "the repository"
    if by_hand:
        how = f"only a workflow that somebody starts by hand runs them ({by_hand.location})"
    elif inventory.workflows:
        how = "no workflow runs them"
    else:
        how = "the repository has no workflow at all"
    return Evidence(
        f"{where} has {suite.framework} tests in {counted(len(suite.files), 'file')}, and {how}.",
        suite.location,
        subject=f"{suite.folder}/{suite.framework}",
        related=tuple(
            Related(item.location, "this workflow doesn't run them") for item in inventory.workflows[:5] if not by_hand
        ),
        recommendation=f"Add a job to {deployment.workflow_file(inventory)} that runs "
        f"{suite.framework} in {suite.folder or 'the root'} on every pull request.",
        severity=Severity.MEDIUM if suite.framework in tools.END_TO_END or by_hand else None,
        confidence=Confidence.MEDIUM if automatic.opaque else None,
        example=_step(suite),
    )


def _step(suite: TestSuite) -> str:
    """The step that runs the suite, after those that install what it needs."""
    command = _COMMANDS.get(suite.framework, "")
    folder = f"\n  working-directory: {suite.folder}" if suite.folder else ""
    return f"- run: {command}{folder}" if command else ""
