"""`auditlib report` against one papermill run of a notebook that imports pandas, networkx and matplotlib."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure, repository

ROOT = Path(__file__).parents[1]
IMPORTS = "import pandas, networkx, matplotlib.pyplot"


def main(show: Callable[[str], None] = print) -> None:
    """Print the table; the first row is the yardstick."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook = _notebook(folder / "imports.ipynb")
        large = repository.write(folder / "300", 300)
        yardstick, example, generated = measure.in_turn(
            [
                [sys.executable, "-m", "papermill", notebook, folder / "out.ipynb", "--no-progress-bar"],
                measure.auditlib("report", ROOT / "data/propertypro", "-o", folder / "example", "--no-history"),
                measure.auditlib("report", large, "-o", folder / "large", "--no-history"),
            ]
        )
        rows = [
            ("papermill, one notebook that imports pandas, networkx, matplotlib", yardstick, 0.0),
            ("auditlib report, the shipped example", example, _page(folder / "example")),
            ("auditlib report, 300 services", generated, _page(folder / "large")),
        ]
        header = ("what", "wall s", "ratio", "memory MB (largest process)", "page MB")
        measure.table(
            "auditlib report",
            header,
            [(what, one.wall, one.wall / yardstick.wall, one.memory, page) for what, one, page in rows],
            show,
        )


def _page(folder: Path) -> float:
    return (folder / "index.html").stat().st_size / 1e6


def _notebook(path: Path) -> Path:
    cell = {"cell_type": "code", "metadata": {}, "source": IMPORTS, "outputs": [], "execution_count": None, "id": "a"}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


if __name__ == "__main__":
    main()
