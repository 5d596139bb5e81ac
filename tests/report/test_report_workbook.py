"""A report is whole, self-contained, the same every time, and replaces nothing but a report."""

from __future__ import annotations

import csv
import html
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from auditlib import execution, publishing, shipped, snapshot, workbook
from auditlib.errors import UsageError
from auditlib.execution import kernel
from auditlib.tables import SCHEMAS


@pytest.fixture(scope="module", params=["propertypro", "healthy"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> workbook.Report:
    output = tmp_path_factory.mktemp("written") / "report"
    return workbook.report(shipped.example().parent / request.param, output)


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one notebook of ours, which stands in for all of them."""
    folder = tmp_path / "books"
    folder.mkdir()
    shutil.copy(shipped.notebooks() / "00-summary.ipynb", folder)
    monkeypatch.setattr(shipped, "notebooks", lambda: folder)
    return folder


def add_cell(notebook: Path, source: str) -> None:
    content = nbformat.read(notebook, as_version=4)
    content.cells.insert(3, nbformat.v4.new_code_cell(source))
    nbformat.write(content, notebook)


def test_a_report_has_all_its_parts(written: workbook.Report) -> None:
    folder = written.index.parent

    assert written.failures == ()
    assert {entry.name for entry in folder.iterdir()} == publishing.CORE
    assert sorted(path.stem for path in (folder / "notebooks").iterdir()) == [
        path.stem for path in sorted(shipped.notebooks().glob("*.ipynb"))
    ]
    assert {path.stem for path in (folder / "tables").iterdir()} == {*SCHEMAS, "backlog"}


def test_its_numbers_agree(written: workbook.Report) -> None:
    folder = written.index.parent
    document = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    page = written.index.read_text(encoding="utf-8")
    with (folder / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    fingerprints = [finding["fingerprint"] for finding in document["findings"]]
    assert [row["fingerprint"] for row in rows] == fingerprints
    assert all(f'id="finding-{fingerprint}"' in page for fingerprint in fingerprints)
    assert document["confidence"]["reasons"]


def test_the_page_needs_nothing_but_itself(written: workbook.Report) -> None:
    page = html.unescape(written.index.read_text(encoding="utf-8"))

    assert "default-src 'none'" in page
    assert not [text for text in ('src="http', "@import", "url(http", "<link", "<iframe") if text in page]
    assert len(page.encode()) < 2_500_000


def test_no_path_of_this_machine_is_in_the_notebooks(written: workbook.Report) -> None:
    for path in (written.index.parent / "notebooks").iterdir():
        text = path.read_text(encoding="utf-8")
        assert str(written.index.parent) not in text
        assert str(shipped.notebooks().parent) not in text


def test_an_executed_notebook_runs_again_where_it_is(written: workbook.Report, tmp_path: Path) -> None:
    copy = tmp_path / "report"
    shutil.copytree(written.index.parent, copy)
    before = (copy / "notebooks/00-summary.ipynb").read_text(encoding="utf-8")
    source = json.loads(before)["cells"][2]["source"]

    assert "../snapshot.json" in "".join(source)
    assert (
        snapshot.load(copy / "snapshot.json").inventory.name
        == snapshot.load(written.index.parent / "snapshot.json").inventory.name
    )


def test_the_same_repository_gives_the_same_bytes(written: workbook.Report, tmp_path: Path) -> None:
    project = Path(json.loads((written.index.parent / "findings.json").read_text(encoding="utf-8"))["project"]["root"])
    again = workbook.report(project, tmp_path / "again")

    for path in sorted(written.index.parent.rglob("*")):
        if path.is_file():
            other = again.index.parent / path.relative_to(written.index.parent)
            assert other.read_bytes() == path.read_bytes(), path.name


def test_a_failing_cell_leaves_the_rest(notebooks: Path, tmp_path: Path) -> None:
    add_cell(notebooks / "00-summary.ipynb", "secret = 'hunter2-canary'\nint(secret)")
    add_cell(notebooks / "00-summary.ipynb", "undefined_name")
    result = workbook.report(shipped.example(), tmp_path / "report")
    page = result.index.read_text(encoding="utf-8")

    assert result.failures == ("notebook 00-summary: NameError", "notebook 00-summary: ValueError")
    assert "This part could not be made: NameError" in page
    assert "Traceback" not in page
    assert "hunter2" not in page  # what the error quotes is not shown


def test_an_error_of_ours_says_what_is_wrong(notebooks: Path, tmp_path: Path) -> None:
    add_cell(notebooks / "00-summary.ipynb", "sections.findings(audit, 'weather')")
    result = workbook.report(shipped.example(), tmp_path / "report")

    assert "there is no area" in result.failures[0]
    assert "Not ready" in result.index.read_text(encoding="utf-8")  # the cells after it were run


def test_a_notebook_whose_process_dies_leaves_the_rest(notebooks: Path, tmp_path: Path) -> None:
    shutil.copy(notebooks / "00-summary.ipynb", notebooks / "01-dead.ipynb")
    add_cell(notebooks / "01-dead.ipynb", "import os; os._exit(7)")
    result = workbook.report(shipped.example(), tmp_path / "report")

    assert result.failures == ("notebook 01-dead: its process ended with status 7",)
    assert "Not ready" in result.index.read_text(encoding="utf-8")


def test_a_task_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "TIME_LIMIT", 0.5)
    ((name, reason),) = execution.run(execution.warm(), {"slow": (_sleep, ())})

    assert name == "slow"
    assert "longer than" in reason


def _sleep() -> None:
    import time

    time.sleep(60)


def test_progress_is_told(notebooks: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    workbook.report(shipped.example(), tmp_path / "report", lambda *step: steps.append(step))

    assert [done for _, done, _ in steps] == list(range(steps[-1][2] + 1))


def test_an_older_report_is_replaced(notebooks: Path, tmp_path: Path) -> None:
    output = tmp_path / "report"
    workbook.report(shipped.example(), output)
    (output / "tables/stale.csv").write_text("old")
    workbook.report(shipped.example(), output)

    assert not (output / "tables/stale.csv").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_folder_that_is_no_report_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(UsageError, match=r"holds thesis\.txt, which is not part of a report"):
        workbook.report(shipped.example(), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_when_something_fails_the_older_report_stays(tmp_path: Path) -> None:
    output = tmp_path / "report"
    output.mkdir()
    (output / "index.html").write_text("older")

    def write() -> Iterator[None]:
        with publishing.published(output) as folder:
            (folder / "index.html").write_text("half")
            raise RuntimeError
        yield

    with pytest.raises(RuntimeError):
        list(write())
    assert (output / "index.html").read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_the_lab_sets_the_project_and_keeps_what_was_changed(
    notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    class Done:
        returncode = 0

    monkeypatch.setattr(workbook.subprocess, "run", lambda command, **_: calls.append(command) or Done())
    project = tmp_path / "mein lädchen's"
    project.mkdir()
    assert workbook.lab(project, tmp_path / "lab") == 0
    copy = tmp_path / "lab/00-summary.ipynb"
    assert f"project = {str(project)!r}" in "".join(json.loads(copy.read_text(encoding="utf-8"))["cells"][1]["source"])

    copy.write_text("changed", encoding="utf-8")
    workbook.lab(project, tmp_path / "lab", ["--no-browser"])
    assert copy.read_text(encoding="utf-8") == "changed"
    assert [call[1:] for call in calls] == [
        ["-P", "-m", "jupyterlab", str(tmp_path / "lab")],
        ["-P", "-m", "jupyterlab", str(tmp_path / "lab"), "--no-browser"],
    ]


def test_a_shell_shows_results_prints_and_displays(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("x = None", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("from IPython.display import display\nprint('said')\ndisplay(x)\n6 * 7"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, tmp_path / "one.ipynb")
    (tmp_path / "out").mkdir()
    ((_, reason),) = execution.run(
        execution.warm(), {"one": (kernel.execute, (tmp_path / "one.ipynb", tmp_path / "out", {"x": "given"}))}
    )
    outputs = json.loads((tmp_path / "out/one.ipynb").read_text(encoding="utf-8"))["cells"][2]["outputs"]

    assert reason == ""
    assert [output["output_type"] for output in outputs] == ["stream", "display_data", "execute_result"]
    assert "".join(outputs[1]["data"]["text/plain"]) == "'given'"
    assert "".join(outputs[2]["data"]["text/plain"]) == "42"
