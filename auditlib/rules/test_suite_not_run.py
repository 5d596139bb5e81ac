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

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import deployment, tools
from auditlib.conventions.package_installs import FROM_LOCK
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import TestSuite
from auditlib.model import Area, Confidence, Effort, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import counted
from auditlib.pipeline import Pipeline, Run
from auditlib.rules._rule import Evidence, rule

_COMMANDS = {
    "pytest": "python -m pytest", "unittest": "python -m unittest discover", "playwright": "npx playwright test",
    "jest": "npx jest", "vitest": "npx vitest run", "cypress": "npx cypress run", "mocha": "npx mocha",
    "node": "node --test", "bun": "bun test", "go": "go test ./...", "rspec": "bundle exec rspec",
    "minitest": "bin/rails test", "phpunit": "vendor/bin/phpunit", "dotnet": "dotnet test", "cargo": "cargo test",
    "junit": "<mvn or gradle> test", "bats": "bats --recursive .",
}  # fmt: skip
_OWNERS = {
    "package-lock.json": "npm", "npm-shrinkwrap.json": "npm", "yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun", "bun.lockb": "bun", "poetry.lock": "poetry", "uv.lock": "uv", "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}  # fmt: skip
"""Which manager writes a lock file."""
_OF_PYTHON = frozenset({"poetry", "uv", "pdm", "pipenv"})
"""Managers that keep the packages in an environment of their own, in which they start commands (`uv run pytest`)."""
_REQUIREMENTS = regex(r"requirements(?:[-_](?:dev|develop|development|tests?|ci))?\.txt|(?:dev|test)-requirements\.txt")


@rule(area=Area.CICD, severity=Severity.HIGH, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every suite that no automatic workflow runs, however indirectly."""
    if deployment.unfollowed_ci(inventory):  # what it runs isn't read
        return
    automatic = pipeline.of(inventory)
    manual = pipeline.of(inventory, [item for item in inventory.workflows if not pipeline.is_automatic(item)])
    for suite in inventory.test_suites:
        if tools.declares_none(suite):
            continue
        started = any(pipeline.starts(run, suite) for run in automatic.runs) or _in_image(inventory, suite)
        if not started and not _may_run(suite, automatic):
            by_hand = next((run for run in manual.runs if pipeline.starts(run, suite)), None)
            yield _evidence(inventory, suite, automatic, by_hand)


def _in_image(inventory: Inventory, suite: TestSuite) -> bool:
    """Whether the build of an image runs the tests, as `mvn package` does."""
    runs = tools.TEST_FRAMEWORKS[suite.framework] if suite.framework in tools.OF_OTHER_LANGUAGES else None
    instructions = (item for file in inventory.dockerfiles for item in file.instructions if runs)
    started = (item.argument for item in instructions if runs and item.keyword == "RUN" and runs.search(item.argument))
    return any(not suite.tag or pipeline.names_tag(suite, text) for text in started)


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
    tagged = f" that are built with the tag {suite.tag} only" if suite.tag else ""
    return Evidence(
        f"{where} has {suite.framework} tests in {counted(len(suite.files), 'file')}{tagged}, and {how}.",
        suite.location,
        subject=f"{suite.folder}/{suite.framework}{suite.tag and '/'}{suite.tag}",
        related=tuple(
            Related(item.location, "this workflow doesn't run them") for item in inventory.workflows[:5] if not by_hand
        ),
        recommendation=f"Add a job to {deployment.workflow_file(inventory)} that runs "
        f"{suite.framework} in {suite.folder or 'the root'} on every pull request.",
        severity=Severity.MEDIUM if suite.framework in tools.END_TO_END or by_hand or suite.tag else None,
        confidence=Confidence.MEDIUM if automatic.opaque else None,
        example=_step(inventory, suite),
    )


def _step(inventory: Inventory, suite: TestSuite) -> str:
    """The steps that install what the suite needs and run it, as far as the repository shows how."""
    command = _COMMANDS.get(suite.framework, "")
    command = command.replace("go test", f"go test -tags={suite.tag}") if suite.tag else command
    folder, install, prefix = _installs(inventory, suite)
    steps = [(folder, install)] if install else []
    if suite.framework == "playwright":
        steps.append((suite.folder, "npx playwright install --with-deps"))
    steps.append((suite.folder, f"{prefix}{command}"))
    return "\n".join(_run(*step) for step in steps) if command else ""


def _run(folder: str, command: str) -> str:
    return f"- run: {command}" + (f"\n  working-directory: {folder}" if folder else "")


def _installs(inventory: Inventory, suite: TestSuite) -> tuple[str, str, str]:
    """Where and by what the suite's packages are installed, and what its command begins with then."""
    python = suite.framework in ("pytest", "unittest")
    folders = [suite.folder]
    while folders[-1]:
        folders.append(posixpath.dirname(folders[-1]))
    for folder in folders:
        there = {posixpath.basename(path) for path in inventory.files if posixpath.dirname(path) == folder}
        for lock, name in _OWNERS.items():
            if lock in there and (name in _OF_PYTHON) is python:
                return folder, FROM_LOCK[name], f"{name} run " if python else ""
        lists = sorted((name for name in there if _REQUIREMENTS.fullmatch(name)), key=len)
        if python and lists:
            return folder, f"pip install {' '.join(f'-r {name}' for name in lists)}", ""
    return "", "", ""
