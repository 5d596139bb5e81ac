"""Test suites and the jobs that run them; scripts and what refers to them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from auditlib import pipeline
from auditlib.audit import Audit
from auditlib.conventions import calls, tools
from auditlib.inventory.code import TestSuite
from auditlib.inventory.delivery import Job
from auditlib.report import wording
from auditlib.report.blocks import Blocks, Column, Prose, State, Table
from auditlib.report.charts import matrix

_LIMIT = 40
_NONE = (
    "No test suite (pytest, unittest, Playwright, Jest, Vitest, Cypress, Go, RSpec, Minitest, PHPUnit, .NET, Cargo, "
    "JUnit) was found."
)
_ELSEWHERE = "an image or a container"
"""What names a script otherwise, mostly by a mount."""


def test_coverage(audit: Audit) -> Blocks:
    """Each test suite of the repository, and the jobs that run it."""
    suites, jobs = audit.inventory.test_suites, audit.inventory.jobs
    if not suites:
        return Blocks(Prose(" ".join((_NONE, *_elsewhere(audit)))))
    if not jobs:
        found = wording.listing(map(_name, suites), 12)
        return Blocks(Prose(f"No workflow of GitHub Actions was found, so none of these runs by itself: {found}."))
    running = _running(audit)
    left_out = [_name(suite) for suite in suites if not running[suite]]
    words = wording.count(len(suites), "test suite")
    words += f"; run by no job: {wording.listing(left_out, 12)}." if left_out else ", each run by a job."
    marks = {
        (row, column): matrix.Mark("dot", "good")
        if job in running[suite]
        else matrix.Mark("dash", "" if running[suite] else "bad")
        for row, suite in enumerate(suites[:_LIMIT])
        for column, job in enumerate(jobs[:_LIMIT])
    }
    legend = [
        (matrix.Mark("dot", "good"), "runs it"),
        (matrix.Mark("dash"), "another job runs it"),
        (matrix.Mark("dash", "bad"), "no job runs it"),
    ]
    canvas = matrix.draw(
        [_name(suite) for suite in suites[:_LIMIT]], [job.name or job.id for job in jobs[:_LIMIT]], marks, legend
    )
    columns = (Column("Suite"), Column("Files", "number"), Column("Run by", "state"), Column("Place", "code"))
    table = Table(
        "Test suites and the jobs that run them", columns, tuple(_row(suite, running[suite]) for suite in suites)
    )
    return Blocks(canvas.picture(words, words, table))


def _elsewhere(audit: Audit) -> Iterator[str]:
    """The jobs that run tests which the repository doesn't hold, as an image may, in a sentence."""
    runs = pipeline.of(audit.inventory, audit.inventory.workflows).runs
    found = {run.job.id: name for run in runs if (name := tools.test_framework(run.text))}
    if found:
        said = wording.listing(f"{job} ({name})" for job, name in found.items())
        yield f"Tests that are elsewhere, such as in an image, are run by {said}."


def _name(suite: TestSuite) -> str:
    return f"{suite.framework} in {suite.folder or 'the root'}"


def _row(suite: TestSuite, jobs: list[Job]) -> tuple[object, ...]:
    state = State(wording.listing(job.id for job in jobs), "good") if jobs else State("no job", "bad")
    return (_name(suite), len(suite.files), state, str(suite.location))


def _running(audit: Audit) -> dict[TestSuite, list[Job]]:
    runs = pipeline.of(audit.inventory, audit.inventory.workflows).runs
    return {
        suite: list(dict.fromkeys(run.job for run in runs if pipeline.starts(run, suite)))
        for suite in audit.inventory.test_suites
    }


def scripts(audit: Audit) -> Blocks:
    """The scripts of the repository, what they say of themselves, and what runs or documents them."""
    found = audit.inventory.scripts
    if not found:
        return Blocks(Prose("No script was found."))
    users = _users(audit)
    rows = tuple(
        (
            script.path,
            script.summary or "says nothing of itself",
            State(wording.listing(users[script.path], 4), "good")
            if users[script.path]
            else State("nothing known", "warn"),
        )
        for script in found
    )
    columns = (Column("Script", "code"), Column("What it says it does"), Column("Used or described by", "state"))
    return Blocks(Table("Scripts and what refers to them", columns, rows))


def _users(audit: Audit) -> dict[str, list[str]]:
    """By path of a script who runs or documents it, and what else names it: a mount, another script."""
    users: dict[str, list[str]] = {script.path: [] for script in audit.inventory.scripts}
    for edge in (*audit.graph.edges_of("runs"), *audit.graph.edges_of("documents")):
        if (path := edge.target.removeprefix("script:")) in users:
            users[path].append(audit.graph.nodes[edge.source]["name"])
    named = calls.everything_named(audit.inventory)
    for path, found in users.items():
        others = named.get(posixpath.basename(path), set()) - {path, *found}
        found.extend(sorted(other or _ELSEWHERE for other in others if other or not found))
    return users
