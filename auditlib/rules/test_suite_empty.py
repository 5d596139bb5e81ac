"""A test suite holds no test.

A step that runs it looks like a safety net. Either it fails on each run, since most frameworks refuse to run nothing,
or an option lets it pass, and then it is green for ever.

Anti-pattern:

    # package.json: "test": "vitest run --passWithNoTests", and no file *.test.ts
    - run: npm test

Better:

    // src/price.test.ts
    test("rounds to cents", () => expect(price(1.005)).toBe(1.01));

Recommendation:

    Write a first test of what would hurt most if it broke, or remove the step.

References:

- https://docs.pytest.org/en/stable/reference/exit-codes.html
- https://vitest.dev/guide/cli.html#passwithnotests
- https://jestjs.io/docs/cli#--passwithnotests
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.conventions import test_places, tools
from auditlib.conventions.workspaces import Workspace
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.code import TestSuite
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.phrases import listed
from auditlib.pipeline import Run
from auditlib.rules import _files as files
from auditlib.rules._rule import Evidence, rule

_NOT_WRITTEN = regex(r"^echo .{0,20}no test specified")
"""What `npm init` writes (https://docs.npmjs.com/cli/commands/npm-init)."""

_IN_CONTAINERS = ("docker ", "docker-compose ", "podman ", "kubectl ")


@rule(area=Area.CICD, severity=Severity.MEDIUM, confidence=Confidence.HIGH, effort=Effort.MEDIUM)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Every framework that a workflow runs and that has no test file; and suites whose files declare no test."""
    found = pipeline.of(inventory, inventory.workflows)
    checked_out = {id(job) for job in inventory.jobs if Workspace(inventory, job).holds_repository}
    for framework in tools.LOOKED_FOR:
        matching = found.matching(tools.TEST_FRAMEWORKS[framework])
        runs = [run for run in matching if id(run.job) in checked_out and _looks_here(run)]
        if runs and tools.lacks_tests(inventory, framework):
            yield _evidence(inventory, framework, runs)
    yield from _of_folders(inventory, [run for run in found.runs if id(run.job) in checked_out and _is_here(run)])
    for runs in _by_job(found.matching(_NOT_WRITTEN)).values():
        yield _not_written(runs[0])
    for suite in inventory.test_suites:
        if tools.declares_none(suite):
            yield _without_cases(suite)


def _of_folders(inventory: Inventory, runs: list[Run]) -> Iterator[Evidence]:
    """Every step whose tests are looked for in folders that hold none, where the repository has some elsewhere."""
    found: defaultdict[tuple[Location, str], list[tuple[Run, tuple[str, ...]]]] = defaultdict(list)
    for framework in (name for name in test_places.FRAMEWORKS if not tools.lacks_tests(inventory, name)):
        for run in runs:
            if tools.TEST_FRAMEWORKS[framework].search(run.text) and not tools.LISTS_TESTS.search(run.text):
                places = test_places.empty(inventory, framework, run.text, run.folder or "")
                found[run.location, framework].append((run, places))
    empty: defaultdict[tuple[str, str], list[tuple[Run, tuple[str, ...]]]] = defaultdict(list)
    for (_, framework), each in found.items():
        if all(places for _, places in each):
            everywhere = test_places.is_nowhere(inventory, framework)
            empty[framework, "" if everywhere else " ".join(each[0][1])].append(each[0])
    for (framework, _), each in empty.items():
        yield _of_folder(inventory, framework, each)


def _of_folder(inventory: Inventory, framework: str, runs: list[tuple[Run, tuple[str, ...]]]) -> Evidence:
    run, places = runs[0]
    where = listed(place or "the root" for place in places)
    return Evidence(
        f"The job {run.job.id} runs {framework} in {where}, which has no file that it takes for a test.",
        run.location,
        subject=f"{run.job.id}/{framework}/{places[0]}",
        related=tuple(Related(other.location, f"runs {framework} too") for other, _ in runs[1:]),
        recommendation=f"Write a first test there, or remove the step from {run.job.workflow}.",
        confidence=Confidence.MEDIUM if framework in tools.LOOKED_FOR else None,
        example=_first_test(inventory, framework, places[0]),
    )


def _looks_here(run: Run) -> bool:
    """Whether the run is one on the runner, with no other place or purpose named."""
    words = run.text.split()
    listing = {"--version", "--help", "--collect-only", "install", "merge-reports", "show-report", "codegen"} & set(
        words
    )
    elsewhere = any(word.startswith(("--pyargs", "--rootdir", "--config", "-c", "--doctest")) for word in words)
    return _is_here(run) and not listing and not elsewhere


def _is_here(run: Run) -> bool:
    """Whether a command runs on the runner, not in a container."""
    return run.folder is not None and not run.text.startswith(_IN_CONTAINERS)


_TESTS = {
    "pytest": "def test_<what must hold>() -> None:\n    assert <it>",
    "unittest": "class Test<Thing>(unittest.TestCase):\n    def test_<what must hold>(self) -> None:\n"
    "        self.assertTrue(<it>)",
    "jest": 'test("<what must hold>", () => {\n  expect(<it>).toBe(<value>);\n});',
    "playwright": 'test("<what a user does>", async ({ page }) => {\n  await page.goto("/");\n'
    '  await expect(page.getByRole("heading")).toBeVisible();\n});',
    "go": 'package <the folder\'s>\n\nimport "testing"\n\nfunc Test<Thing>(t *testing.T) {\n\t<what must hold>\n}',
    "cypress": 'it("<what a user does>", () => {\n  cy.visit("/");\n  cy.get("h1").should("be.visible");\n});',
}
_SCRIPT = '"scripts": {"test": "node --test"}'
_OF_NODE = 'require("node:test")("<what must hold>", () => require("node:assert").ok(<it>));'
_NAMES = {
    "pytest": "tests/test_<thing>.py", "unittest": "test_<thing>.py", "go": "<thing>_test.go",
    "cypress": "cypress/e2e/<thing>.cy.ts", "playwright": "<thing>.spec.ts",
}  # fmt: skip


def _first_test(inventory: Inventory, framework: str, folder: str) -> str:
    path = f"{folder}/{_NAMES.get(framework) or _in_javascript(inventory, folder)}".lstrip("/")
    return files.into(path, _TESTS.get(framework, _TESTS["jest"]))


def _in_javascript(inventory: Inventory, folder: str) -> str:
    """A place where jest and vitest look by default, and mostly by their configuration; NestJS has its own."""
    beside = f"{folder}/" if folder else ""
    if f"{beside}nest-cli.json" in inventory.file_set:
        return "src/<thing>.spec.ts"
    return f"tests/<thing>.test.{'ts' if f'{beside}tsconfig.json' in inventory.file_set else 'js'}"


def _evidence(inventory: Inventory, framework: str, runs: list[Run]) -> Evidence:
    first, *others = runs
    places = dict.fromkeys(run.location for run in others if run.location != first.location)
    return Evidence(
        f"The job {first.job.id} runs {framework}, and the repository has no file that it takes for a test.",
        first.location,
        subject=framework,
        related=tuple(Related(place, f"runs {framework} too") for place in places),
        recommendation=f"Write a first {framework} test, or remove the step from {first.job.workflow}.",
        example=_first_test(inventory, framework, first.folder or ""),
    )


def _by_job(runs: list[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(f"{run.job.workflow}/{run.job.id}", []).append(run)
    return found


def _not_written(run: Run) -> Evidence:
    folder = run.folder or ""
    return Evidence(
        f"The job {run.job.id} runs the test script that npm writes into a new package.json: it says that there is no "
        "test, and tests nothing.",
        run.location,
        subject=f"{run.job.id}/npm",
        related=(Related(run.job.location, f"the job {run.job.id}"),),
        recommendation="Write a first test and let the script `test` of package.json run it.",
        example=f"{files.into(posixpath.join(folder, 'package.json'), _SCRIPT)}\n"
        + files.into(posixpath.join(folder, "test/<thing>.test.js"), _OF_NODE),
    )


def _without_cases(suite: TestSuite) -> Evidence:
    return Evidence(
        f"The files of {suite.folder or 'the repository'} that {suite.framework} takes for tests declare none.",
        suite.location,
        subject=f"{suite.folder}/{suite.framework}",
        related=tuple(
            Related(type(suite.location)(file), "declares no test")
            for file in suite.files[:5]
            if file != suite.location.file
        ),
        recommendation=f"Write a test into {suite.files[0]}, or remove the file.",
        example=files.into(suite.files[0], _TESTS.get(suite.framework, _TESTS["jest"])),
        confidence=Confidence.MEDIUM,
    )
