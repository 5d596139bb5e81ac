"""`auditlib report` against one papermill run of a notebook that imports pandas, networkx and matplotlib."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure, memory, repository, stages

ROOT = Path(__file__).parents[1]
IMPORTS = "import pandas, networkx, matplotlib.pyplot"


def main(show: Callable[[str], None] = print) -> None:
    """Print the tables; the first row of the first is the yardstick."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        projects = {
            "the shipped example": ROOT / "data/propertypro",
            "300 services": repository.write(folder / "g", 300),
        }
        reports = {
            what: measure.auditlib("report", project, "-o", folder / what, "--no-history")
            for what, project in projects.items()
        }
        _times(reports, folder, show)
        _stages(projects, folder, show)


def _times(reports: dict[str, list[str]], folder: Path, show: Callable[[str], None]) -> None:
    notebook = _notebook(folder / "imports.ipynb")
    papermill = [sys.executable, "-m", "papermill", str(notebook), str(folder / "out.ipynb"), "--no-progress-bar"]
    yardstick, *taken = measure.in_turn([papermill, *reports.values()])
    rows: list[tuple[object, ...]] = [
        (
            "papermill, one notebook that imports pandas, networkx, matplotlib",
            yardstick.wall,
            1.0,
            memory.peak(papermill),
            "-",
        )
    ]
    for (what, command), figures in zip(reports.items(), taken, strict=True):
        ratio = figures.wall / yardstick.wall
        rows.append((f"auditlib report, {what}", figures.wall, ratio, memory.peak(command), _page(folder / what)))
    header = ("what", "wall s", "ratio", "memory MB (all processes, PSS)", "page MB")
    measure.table("auditlib report", header, rows, show)


def _stages(projects: dict[str, Path], folder: Path, show: Callable[[str], None]) -> None:
    """The share of each stage of one more run, in which the clock is read between them."""
    rows = []
    for what, project in projects.items():
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.stages", str(project), str(folder / what)]
        seconds = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        whole = time.perf_counter() - started
        shares = [seconds[name] / whole for name in stages.NAMES]
        rows.append((what, whole, 1 - sum(shares), *shares))
    measure.table("the share of each stage", ("report on", "wall s", "start and end", *stages.NAMES), rows, show)


def _page(folder: Path) -> float:
    return (folder / "index.html").stat().st_size / 1e6


def _notebook(path: Path) -> Path:
    cell = {"cell_type": "code", "metadata": {}, "source": IMPORTS, "outputs": [], "execution_count": None, "id": "a"}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


if __name__ == "__main__":
    main()
