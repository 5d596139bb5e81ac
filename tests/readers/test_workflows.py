"""Workflows of GitHub Actions: triggers in every syntax, jobs, steps and what they run."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.inventory.delivery import Action, Workflow
from auditlib.model import Read
from auditlib.readers import workflows
from auditlib.source import Source

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT.parent / "shared/corpus/full-stack-fastapi-template"


def reading(tmp_path, text, name=".github/workflows/ci.yml"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return workflows.read(Source(tmp_path))


TRIGGERS = {
    "on: push": [("push", (), ())],
    "on: [push, pull_request]": [("push", (), ()), ("pull_request", (), ())],
    "on: {push: null, workflow_dispatch: {}}": [("push", (), ()), ("workflow_dispatch", (), ())],
    "on: {push: {branches: [main, 'v*'], paths: [src/**]}}": [("push", ("main", "v*"), ("src/**",))],
    "on: {push: {branches: main}}": [("push", ("main",), ())],
    "on: {push: {branches-ignore: [x], paths-ignore: ['**.md']}}": [("push", ("!x",), ("!**.md",))],
    "'on': push": [("push", (), ())],
    "name: x": [],
}


@pytest.mark.parametrize("text", TRIGGERS)
def test_triggers(text, tmp_path):
    (workflow,) = reading(tmp_path, text + "\njobs: {a: {runs-on: x}}\n").records
    assert [(item.event, item.branches, item.paths) for item in workflow.triggers] == TRIGGERS[text]


def test_further_filters(tmp_path):
    text = (
        "on:\n  schedule: [{cron: '0 1 * * *'}]\n  workflow_run: {workflows: [CI], types: [completed]}\n"
        "  push: {tags: ['v*']}\njobs: {}\n"
    )
    (workflow,) = reading(tmp_path, text).records
    schedule, run, push = workflow.triggers
    assert schedule.schedules == ("0 1 * * *",)
    assert (run.workflows, run.types, run.location.line) == (("CI",), ("completed",), 3)
    assert push.tags == ("v*",)


def test_rights_and_turns(tmp_path):
    text = (
        "on: push\npermissions: {contents: read, id-token: write}\nconcurrency: {group: all}\n"
        "jobs:\n  a: {runs-on: x, concurrency: one, permissions: write-all}\n  b: {runs-on: x, permissions: {}}\n"
        "  c: {runs-on: x}\n"
    )
    (workflow,) = reading(tmp_path, text).records
    assert (workflow.concurrency, workflow.permissions) == ("all", (("contents", "read"), ("id-token", "write")))
    assert [job.concurrency for job in workflow.jobs] == ["one", "", ""]
    assert [job.permissions for job in workflow.jobs] == [(("*", "write-all"),), (), None]


def test_what_another_host_runs(tmp_path):
    text = (
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: appleboy/ssh-action@v1\n        with:\n"
        "          script: |\n            cd app\n            git pull\n"
        "      - uses: appleboy/ssh-action@v1\n        with: {script_stop: true, script: make}\n"
    )
    (workflow,) = reading(tmp_path, text).records
    first, second = workflow.jobs[0].steps
    assert [(item.words, item.location.line, item.asked) for item in first.remote] == [
        (("cd", "app"), 9, False),
        (("git", "pull"), 10, False),
    ]
    assert [(item.words, item.asked) for item in second.remote] == [(("make",), True)]


WORKFLOW = """\
name: CI
on: push
env: {A: 1, API_TOKEN: s3cr3t-value}
defaults: {run: {working-directory: top}}
jobs:
  build:
    name: Build
    runs-on: [self-hosted, linux]
    container: {image: "python:3.12"}
    strategy:
      matrix:
        python: ["3.10", 3.11]
        include: [{python: "3.13", extra: x}]
    services:
      db:
        image: postgres:16
        env: {POSTGRES_PASSWORD: hunter2-x}
        ports: ["5432:5432"]
    environment: {name: production, url: x}
    env: {B: "${{ secrets.ONE }}"}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - name: Test
        id: test
        if: ${{ vars.TWO == 'x' }}
        working-directory: sub
        continue-on-error: true
        env: {C: "3"}
        run: |
          set -e

          pytest -q || true
      - run: make "x y"
      - {run: "Get-Item x", shell: pwsh}
      - {run: "import os", shell: python}
      # token: ${{ secrets.COMMENTED }}
      - run: >-
          echo one
          two
  call:
    needs: build
    uses: ./.github/workflows/other.yml
    with: {x: 1}
    secrets: inherit
  windows:
    needs: [build, call]
    runs-on: windows-latest
    if: secrets.THREE != ''
    environment: staging
    defaults: {run: {working-directory: win}}
    steps:
      - run: dir
      - {run: ls, shell: bash}
"""


def test_jobs(tmp_path):
    (workflow,) = reading(tmp_path, WORKFLOW).records
    build, call, windows = workflow.jobs
    assert (workflow.env[0].name, workflow.env[0].value, workflow.env[0].location.line) == ("A", "1", 3)
    assert "s3cr3t" not in repr(workflow)
    assert (build.runs_on, build.container, build.environment) == ("self-hosted, linux", "python:3.12", "production")
    assert build.matrix == (("python", ("3.10", "3.11")),)
    (database,) = build.services
    assert (database.name, database.image, database.ports, database.location.line) == (
        "db", "postgres:16", ("5432:5432",), 16,
    )  # fmt: skip
    assert "hunter2" not in repr(database)
    assert (call.needs, call.uses, call.inputs[0].value) == (("build",), "./.github/workflows/other.yml", "1")
    assert (windows.needs, windows.environment) == (("build", "call"), "staging")
    assert windows.condition == "secrets.THREE != ''"
    assert [(job.location.line, job.location.end_line) for job in workflow.jobs] == [(6, 40), (41, 45), (46, 54)]
    uses = [(item.kind, item.name, item.location.line) for item in workflow.secrets]
    assert uses == [("secrets", "ONE", 20), ("vars", "TWO", 26), ("secrets", "THREE", 49)]


def test_steps_and_their_commands(tmp_path):
    (workflow,) = reading(tmp_path, WORKFLOW).records
    checkout, test, make, pwsh, python, folded = workflow.jobs[0].steps
    assert (checkout.uses, checkout.inputs[0].name) == ("actions/checkout@v4", "fetch-depth")
    assert checkout.working_directory == ""
    assert (test.id, test.continue_on_error, test.working_directory) == ("test", True, "sub")
    places = [(command.words, command.location.line, command.location.column) for command in test.commands]
    assert places[:2] == [(("set", "-e"), 31, 11), (("pytest", "-q"), 33, 11)]
    assert test.commands[1].cannot_fail
    assert [(item.words, item.location.line, item.location.column) for item in make.commands] == [
        (("make", "x y"), 34, 14)
    ]
    assert (pwsh.commands, python.commands, make.working_directory) == ((), (), "top")
    assert folded.commands[0].words == ("echo", "one", "two")
    assert folded.commands[0].location.line == 39
    first, second = workflow.jobs[2].steps
    assert (first.commands, first.shell, first.working_directory) == ((), "pwsh", "win")
    assert second.commands[0].words == ("ls",)


def test_composite_actions(tmp_path):
    text = "name: A\nruns:\n  using: composite\n  steps:\n    - {run: make x, shell: bash}\n    - {uses: a/b@v1}\n"
    (action,) = reading(tmp_path, text, ".github/actions/a/action.yml").records
    assert isinstance(action, Action)
    first, second = action.steps
    assert (action.using, first.commands[0].words, second.uses) == ("composite", ("make", "x"), "a/b@v1")


BAD = {
    "hello": Read.FAILED,
    "": Read.FAILED,
    "on: [push]\njobs: [1]\n": Read.PARTIAL,
    "on: push\n": Read.PARTIAL,
    "on: [push]\njobs:\n  a: [1]\n": Read.PARTIAL,
    "on: [push]\njobs:\n  b: {steps: {x: 1}}\n": Read.PARTIAL,
    "on: [push]\njobs:\n  c: {steps: [1, {run: [a]}]}\n": Read.PARTIAL,
    "on: [push]\njobs:\n  c: {services: {x: 1}}\n": Read.PARTIAL,
    "on: [push\n": Read.FAILED,
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_not_understood_is_an_entry(text, tmp_path):
    assert {entry.status for entry in reading(tmp_path, text).coverage} == {BAD[text]}


def test_workflows_of_an_example_below_the_root_are_none(tmp_path):
    assert not reading(tmp_path, WORKFLOW, "example/.github/workflows/ci.yml").coverage


@pytest.mark.skipif(not TEMPLATE.exists(), reason="the corpus is not here")
def test_every_step_of_the_template_is_read():
    source = Source(TEMPLATE)
    found = workflows.read(source)
    assert {entry.status for entry in found.coverage} == {Read.PARSED}
    steps = [step for workflow in found.records for job in workflow.jobs for step in job.steps]
    assert len(steps) > 50
    for step in steps:
        assert bool(step.uses) != bool(step.run)
        for command in step.commands:
            line = source.lines(step.workflow)[command.location.line - 1]
            assert line[command.location.column - 1 :].split()[0].strip("\"'$()").startswith(command.words[0][:2])


def test_the_example():
    found = workflows.read(Source(ROOT / "data/propertypro"))
    (workflow,) = [record for record in found.records if isinstance(record, Workflow)]
    assert [job.id for job in workflow.jobs] == ["backend-lint", "frontend", "deploy"]


@settings(max_examples=80)
@given(text=st.text(st.sampled_from("ab:- \n[]{}\"'*&?|>#1$"), max_size=60))
def test_any_text_gives_records_or_entries(text, tmp_path_factory):
    root = tmp_path_factory.mktemp("any")
    assert reading(root, f"on: {text}\njobs: {{a: {{steps: {text}}}}}\n").coverage
    assert reading(root, text, ".github/workflows/b.yml").coverage
