"""Commands are run from within the repository that they audit: none of its modules is ever imported."""

import subprocess
import sys
from pathlib import Path

import pytest

MODULES = (
    "auditlib",  # `python -m auditlib` would run that one, before any line of ours
    "IPython", "json", "jupyterlab", "matplotlib", "multiprocessing", "pandas", "papermill", "rich",
    "signal", "site", "tornado", "typer", "yaml",
)  # fmt: skip
PROGRAM = str(Path(sys.executable).parent / "auditlib")
COMMANDS = {
    "check": [PROGRAM, "check", "."],
    "report": [PROGRAM, "report", ".", "-o", "../report", "--format", "html,slides"],
    "check as a module": [sys.executable, "-m", "auditlib", "check", ".", "--no-scanners"],
    "report as a module": [sys.executable, "-m", "auditlib", "report", ".", "-o", "../report"],
    "lab": [PROGRAM, "lab", ".", "--folder", "../lab", "--", "--version"],
}


@pytest.fixture
def repository(tmp_path, command):
    """A repository whose modules have the names of those that auditlib needs, and leave a mark when they are run."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "compose.yaml").write_text("services:\n  api: {image: 'shop/api:1'}\n", encoding="utf-8")
    for name in MODULES if command[0] == PROGRAM else MODULES[1:]:
        mark = f"import pathlib\npathlib.Path({str(tmp_path)!r}, 'run-{name}').touch()\n"
        (folder / f"{name}.py").write_text(mark, encoding="utf-8")
    return folder


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_module_of_the_current_folder_is_run(repository, command):
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)

    assert [path.name for path in repository.parent.glob("run-*")] == []
    assert (done.returncode, done.stderr) == (0, "")
