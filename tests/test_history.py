"""`auditlib report` keeps its runs; `auditlib history` and `auditlib diff` tell of them."""

import json
import re
import shutil

import pytest

from auditlib import shipped
from auditlib.cli import run

SERVICE = "  {0}:\n    image: example/{0}\n    environment:\n      DB_PASSWORD: hunter2-canary-{0}\n"
FIRST = "This is the first result that is kept"


@pytest.fixture(autouse=True)
def summary_alone(tmp_path, monkeypatch):
    """Reports of one notebook, and a state folder for each test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "books"
    folder.mkdir()
    shutil.copy(shipped.notebooks() / "00-summary.ipynb", folder)
    monkeypatch.setattr(shipped, "notebooks", lambda: folder)


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    return write(folder, "api", "web")


def write(project, *services):
    (project / "compose.yml").write_text("services:\n" + "".join(map(SERVICE.format, services)), encoding="utf-8")
    return project


@pytest.fixture
def auditlib(capsys):
    def call(*arguments):
        status = run(list(map(str, arguments)))
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def report(auditlib, project, tmp_path):
    def call(*options):
        status, _, complaints = auditlib("report", project, "-o", tmp_path / "out", *options)
        assert (status, complaints) == (0, "")
        return (tmp_path / "out/index.html").read_text(encoding="utf-8")

    return call


@pytest.fixture
def two_runs(report, project):
    report()
    write(project, "api", "web", "worker")
    return report()


def test_the_first_report_says_so_and_the_next_what_changed(report, project):
    first = report()
    assert FIRST in first
    write(project, "api")
    later = report()
    assert FIRST not in later
    assert re.search(r"Since \d+ \w+ \d{4}: ", later)
    assert 'aria-label="From ' in later  # the trend


def test_the_same_input_and_history_give_the_same_bytes(two_runs, report, tmp_path):
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    report()
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


def test_without_history_nothing_is_kept_and_nothing_told(report, tmp_path):
    page = report("--no-history")
    assert FIRST not in page
    assert not (tmp_path / "state").exists()


def test_a_folder_of_ones_own_holds_the_runs(report, auditlib, project, tmp_path):
    report("--history", tmp_path / "runs of mine")
    assert not (tmp_path / "state").exists()
    assert json.loads(auditlib("history", project, "--history", tmp_path / "runs of mine", "--format", "json")[1])[
        "runs"
    ]


@pytest.mark.parametrize("options", [("--history", "x", "--no-history"), ("--history", "/dev/null/x")])
def test_a_history_that_cannot_be_kept_is_told_before_anything_is_run(auditlib, project, tmp_path, options):
    status, said, complaint = auditlib("report", project, "-o", tmp_path / "out", *options)
    assert (status, said, complaint.count("\n")) == (2, "", 1)
    assert not (tmp_path / "out").exists()


def test_without_a_place_for_state_a_report_is_still_a_report(auditlib, project, tmp_path):
    (tmp_path / "state").write_text("in the way")
    status, said, complaint = auditlib("report", project, "-o", tmp_path / "out")
    assert status == 0
    assert said.endswith("index.html\n")
    assert "no history can be kept in" in complaint


def test_a_broken_run_is_named_and_the_report_goes_on(auditlib, report, project, tmp_path):
    report()
    folder = next((tmp_path / "state/auditlib/runs").iterdir())
    (folder / "20260101T000000000000Z-00000000.jsonl").write_text('{"version": 99}')
    status, _, complaint = auditlib("report", project, "-o", tmp_path / "out")
    assert status == 0
    assert "20260101T000000000000Z-00000000.jsonl is left out of the history: a later version" in complaint
    assert "a later version" in auditlib("history", project)[2]


def test_no_secret_is_in_the_store(two_runs, tmp_path):
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert "hunter2-canary" not in "".join(path.read_text(encoding="utf-8") for path in files)


def test_history_is_a_row_a_run_the_newest_first(two_runs, auditlib, project):
    status, text, _ = auditlib("history", project)
    rows = [line for line in text.splitlines() if re.match(r"\d{4}-", line)]
    runs = json.loads(auditlib("history", project, "--format", "json")[1])["runs"]
    assert status == 0
    assert [line.split()[2] for line in rows] == [item["id"] for item in runs]
    assert runs[0]["time"] >= runs[1]["time"]
    assert runs[0]["grown"] > 0
    assert runs[1]["new"] is None
    assert len(json.loads(auditlib("history", project, "--last", 1, "--format", "json")[1])["runs"]) == 1


def test_a_project_without_runs_has_an_empty_history(auditlib, project):
    assert auditlib("history", project)[0] == 0
    assert "no run is kept" in auditlib("history", project)[1].lower()
    assert json.loads(auditlib("history", project, "--format", "json")[1])["runs"] == []


def test_diff_tells_what_changed_in_every_form(two_runs, auditlib, project):
    text = auditlib("diff", "previous", "latest", "--project", project)[1]
    document = json.loads(auditlib("diff", "--project", project, "--format", "json")[1])
    markdown = auditlib("diff", "--project", project, "--format", "markdown")[1]
    assert "\x1b" not in text
    assert "Spread further" in text
    assert "now also compose.yml: worker" in text
    assert any(item["grown"] for item in document["still_there"])
    assert markdown.startswith("## ")
    for entry in document["new"]:
        assert f"{entry['severity']}[{entry['rule']}]" in text
        assert f"(`{entry['rule']}`)" in markdown


def test_the_way_back_swaps_new_and_fixed(two_runs, auditlib, project):
    there = json.loads(auditlib("diff", "previous", "latest", "--project", project, "--format", "json")[1])
    back = json.loads(auditlib("diff", "latest", "previous", "--project", project, "--format", "json")[1])
    assert (there["new"], there["fixed"]) == (back["fixed"], back["new"])
    assert there["from"] == back["to"]


def test_a_run_and_the_report_that_it_made_are_the_same(two_runs, auditlib, project, tmp_path):
    for other in (tmp_path / "out", tmp_path / "out/findings.json"):
        assert "Nothing changed" in auditlib("diff", "latest", other, "--project", project)[1]


def test_diff_fails_for_what_is_worse_only(two_runs, auditlib, project):
    for names, status in ((("previous", "latest"), 1), (("latest", "latest"), 0)):
        assert auditlib("diff", *names, "--project", project, "--fail-on", "low")[0] == status
    assert auditlib("diff", "previous", "latest", "--project", project)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["diff", "nonsense", "latest"], "no run in"),
        (["diff", "{books}", "latest"], "findings.json can't be read"),
        (["history", "/no/such/folder"], "is not a folder"),
        (["history", "--last", "0"], "--last"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line_that_says_what_to_do(auditlib, tmp_path, arguments, hint):
    status, said, complaint = auditlib(*(word.format(books=tmp_path / "books") for word in arguments))
    assert (status, said, complaint.count("\n")) == (2, "", 1)
    assert hint in complaint


def test_completion_offers_the_runs_that_are_kept(two_runs, project):
    from typer.testing import CliRunner

    from auditlib.cli import app

    asked = {
        "_AUDITLIB_COMPLETE": "complete_bash",
        "COMP_WORDS": f"auditlib diff --project {project} lat",
        "COMP_CWORD": "4",
    }
    assert CliRunner().invoke(app, env=asked, prog_name="auditlib").stdout.split() == ["latest"]
