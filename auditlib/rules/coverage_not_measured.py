"""A pipeline reports how much of the code its tests reach, and no command measures that.

The report's action finds no file and passes, or sends an old one. The number on the page, the badge and the limit
that a pull request is to keep stand for nothing.

Anti-pattern:

    - run: pytest
    - uses: codecov/codecov-action@v4
      with: {files: coverage.xml}

Better:

    - run: pytest --cov=app --cov-report=xml
    - uses: codecov/codecov-action@v4
      with: {files: coverage.xml, fail_ci_if_error: true}

Recommendation:

    Let the tests measure, and let the report fail where it finds no file.

References:

- https://github.com/codecov/codecov-action#arguments
- https://pytest-cov.readthedocs.io/en/latest/reporting.html
- https://jestjs.io/docs/cli#--coverageboolean
"""

from __future__ import annotations

from collections.abc import Iterator

from auditlib import pipeline
from auditlib.graph import DependencyGraph
from auditlib.inventory import Inventory
from auditlib.inventory.delivery import Job, Step
from auditlib.model import Area, Confidence, Effort, Location, Related, Severity
from auditlib.patterns import regex
from auditlib.pipeline import Pipeline
from auditlib.rules import _workflow_lines as workflow_lines
from auditlib.rules._rule import Evidence, rule

_REPORTS = regex(r"^(?:codecov/codecov-action|coverallsapp/github-action|qltysh/qlty-action/coverage|"
                 r"paambaati/codeclimate-action|irongut/CodeCoverageSummary)@")  # fmt: skip
_MEASURES = regex(
    r"--cov\b|--cov[=-]|\bcoverage\b|\bcov\b|--coverage|\bnyc\b|\bc8\b|-coverprofile|-cover\b|tarpaulin|llvm-cov|grcov|"
    r"jacoco|kover|simplecov|XPlat|coverlet|cover(?:age)?-report|lcov|gcov|\bverify\b|gradlew? |mvnw? |phpunit|pest|"
    r"rspec|\btox\b|\bnox\b|\bhatch\b|docker|\bmake\b|\bjust\b|\btask\b|\bnx\b|\bturbo\b|\blerna\b|\bbazel\b|\brake\b"
)
"""What measures, or may do so by a configuration that isn't read."""
_TESTS = regex(r"(?:^|\s)(?:pytest|jest|vitest|go test|mocha|python -m (?:pytest|unittest))(?=\s|$)")
_BY_CONFIGURATION = regex(
    r"(?:^|/)(?:jest\.config\.\w+|vite(?:st)?\.config\.\w+|\.nycrc(?:\.json)?|\.c8rc(?:\.json)?|tox\.ini|setup\.cfg|"
    r"pytest\.ini|\.coveragerc)$"
)
_OF_TESTS = frozenset({"pytest-cov", "coverage", "coverage.py"})


@rule(area=Area.CICD, severity=Severity.LOW, confidence=Confidence.HIGH, effort=Effort.SMALL)
def check(inventory: Inventory, graph: DependencyGraph) -> Iterator[Evidence]:
    """Each job that reports a coverage, where all that it runs as tests is known and measures none."""
    reporting = [job for job in inventory.jobs if any(map(_reports, job.steps))]
    found = pipeline.of(inventory, inventory.workflows) if reporting else None
    for job in reporting:
        if found and (run := _unmeasured(inventory, found, job)):
            yield _evidence(job, *run)


def _reports(step: Step) -> bool:
    """Whether a step reports a coverage; one that sends the results of tests alone says so."""
    results = any(pair.name == "report_type" and pair.value == "test_results" for pair in step.inputs)
    return bool(_REPORTS.match(step.uses)) and not results


def _unmeasured(inventory: Inventory, found: Pipeline, job: Job) -> tuple[Step, str, Location] | None:
    """The step that reports, and the tests before it, where nothing may have measured."""
    if found.is_opaque(job) or any("download-artifact" in step.uses for step in job.steps):
        return None
    runs = [run for run in found.of_job(job) if not _REPORTS.match(run.text)]
    if any(_MEASURES.search(run.text) for run in runs) or _is_configured(inventory):
        return None
    tests = [run for run in runs if _TESTS.search(run.text)]
    step = next(filter(_reports, job.steps))
    return (step, tests[0].text, tests[0].location) if tests else None


def _is_configured(inventory: Inventory) -> bool:
    """Whether a configuration may have the tests measure by themselves."""
    tools = {tool for item in inventory.manifests for tool in item.tools}
    wanted = {item.name for manifest in inventory.manifests for item in manifest.requirements}
    files = any(map(_BY_CONFIGURATION.search, inventory.files))
    return (
        files
        or bool(tools & {"coverage", "jest", "nyc", "c8", "vitest"})
        or ("pytest" in tools and bool(wanted & _OF_TESTS))
    )


def _measuring(text: str) -> str:
    """The same tests with a measure, as it may stand in a step."""
    if "pytest" in text:
        return f"{text} --cov --cov-report=xml"
    if "unittest" in text:
        return f"{text.replace('python -m unittest', 'coverage run -m unittest')} && coverage xml"
    if "go test" in text:
        return f"{text} -coverprofile=coverage.out"
    own = text if text.startswith("npx ") else f"npx {text}"
    return f"{own} --coverage" if "mocha" not in text else f"npx c8 --reporter=lcov {text.removeprefix('npx ')}"


def _evidence(job: Job, step: Step, text: str, place: Location) -> Evidence:
    better = _measuring(text[:100])
    return Evidence(
        f"The job {job.id} reports a coverage by {step.uses.partition('@')[0]}, and `{text[:60]}` before it measures "
        "none.",
        step.location,
        subject=f"{job.workflow}/{job.id}/coverage",
        related=(Related(place, "runs the tests"),),
        recommendation=f"Run `{better[:80]}` in its place, or take the report out of the job {job.id}.",
        example=workflow_lines.step(job.workflow, job.id, f"- run: {better}"),
    )
