"""The notebooks are thin, run by plain papermill on any repository, and refuse a parameter that they don't have."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from auditlib import shipped
from auditlib.report import sections

NOTEBOOKS = sorted(shipped.notebooks().glob("*.ipynb"))
ROOT = shipped.notebooks().parent


def run_papermill(notebook: Path, output: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(notebook), str(output), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def code(notebook: Path) -> list[str]:
    return [cell.source for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def test_all_ten_are_there() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "00-summary",
        "01-scope",
        "02-container-orchestration",
        "03-configuration-secrets",
        "04-monitoring-logging",
        "05-cicd-testing",
        "06-gaps-risks",
        "07-backlog",
        "08-confidence",
        "explore",
    ]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin(notebook: Path) -> None:
    content = nbformat.read(notebook, as_version=4)
    nbformat.validate(content)
    title, parameters, load, *pairs = content.cells

    assert title.source.startswith("# ")
    assert title.source.rstrip().endswith("?")  # the question that it answers
    assert parameters.metadata.tags == ["parameters"]
    assert "sections.load(project, snapshot)" in load.source
    assert [cell.cell_type for cell in pairs] == ["markdown", "code"] * (len(pairs) // 2)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in content.cells)
    for cell in pairs[1::2]:
        (statement,) = ast.parse(cell.source).body  # one call, or one table
        assert isinstance(statement, ast.Expr)
        assert isinstance(statement.value, ast.Call | ast.Attribute)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_prose_names_nothing_of_the_example(notebook: Path) -> None:
    prose = " ".join(c.source for c in nbformat.read(notebook, as_version=4).cells if c.cell_type == "markdown")

    assert not {word for word in ("propertypro", "chroma", "celery", "fastapi") if word in prose.lower()}
    assert not any(character.isdigit() for character in prose.replace("100", ""))  # numbers come from cells


def test_every_section_is_on_a_page() -> None:
    calls = "\n".join(source for notebook in NOTEBOOKS for source in code(notebook))

    assert {name for name in sections.__all__ if f"sections.{name}(" not in calls} == set()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_plain_papermill_runs_it_on_the_example(notebook: Path, tmp_path: Path) -> None:
    done = run_papermill(notebook, tmp_path / "out.ipynb", "-p", "project", str(shipped.example()))

    assert done.returncode == 0, done.stderr
    executed = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))
    assert all(cell["outputs"] for cell in executed["cells"][4:] if cell["cell_type"] == "code")


def test_without_parameters_it_shows_the_example(tmp_path: Path) -> None:
    done = run_papermill(NOTEBOOKS[1], tmp_path / "out.ipynb")

    assert done.returncode == 0, done.stderr
    assert shipped.example().name in (tmp_path / "out.ipynb").read_text(encoding="utf-8")


def test_an_unknown_parameter_is_an_error(tmp_path: Path) -> None:
    done = run_papermill(NOTEBOOKS[0], tmp_path / "out.ipynb", "-p", "projct", "somewhere")

    assert done.returncode != 0
    assert "there is no parameter 'projct'; the notebook's parameters are project, snapshot" in done.stderr


def test_a_project_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    done = run_papermill(NOTEBOOKS[0], tmp_path / "out.ipynb", "-p", "project", str(tmp_path / "gone"))

    assert done.returncode != 0
    assert "is not a folder" in done.stderr
