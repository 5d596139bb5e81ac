"""`auditlib check`: the start-up share, real repositories, generated ones of growing size, and the scanners' share."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import measure, repository

SIZES = (100, 1000, 3000)
ROOT = Path(__file__).parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"


def main(show: Callable[[str], None] = print) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder) / "empty"
        empty.mkdir()
        start = measure.run(_check(empty), runs=5)
        _real(start, show)
        _generated(Path(folder), start, show)
        _scanned(repository.mid_sized(Path(folder) / "mid-sized"), show)


def _check(project: Path) -> list[str]:
    return measure.auditlib("check", project, "--format", "json", "--no-scanners")


def _real(start: measure.Figures, show: Callable[[str], None]) -> None:
    projects = [
        ROOT / "data/propertypro",
        ROOT / "data/healthy",
        *(sorted(CORPUS.iterdir()) if CORPUS.is_dir() else ()),
    ]
    rows = []
    for project in projects:
        figures = measure.run(_check(project))
        rows.append((project.name, figures.wall, figures.cpu, figures.memory, start.cpu / figures.cpu))
    header = ("repository", "wall s", "processor s", "memory MB", "share of start-up")
    measure.table("auditlib check, real repositories", header, rows, show)


def _generated(folder: Path, start: measure.Figures, show: Callable[[str], None]) -> None:
    rows = []
    first = None
    for size in SIZES:
        figures = measure.run(_check(repository.write(folder / str(size), size)))
        work = (figures.cpu - start.cpu) / size
        first = first or work
        rows.append((size, figures.wall, figures.cpu, figures.memory, start.cpu / figures.cpu, work / first))
    header = ("services", "wall s", "processor s", "memory MB", "share of start-up", "time a service, of the first row")
    measure.table("auditlib check, generated repositories", header, rows, show)


def _scanned(project: Path, show: Callable[[str], None]) -> None:
    """The yardstick: the two scanners that auditlib brings, one after the other, as whole processes."""
    programs = Path(sys.executable).parent
    quiet = ("--offline", "--no-config", "--no-exit-codes", "--no-progress", "--quiet", "--format=json-v1")
    zizmor, lint, alone, scanned = measure.in_turn(
        [
            [programs / "zizmor", *quiet, project],
            [programs / "compose-lint", "check", "--format=json", "--no-env", project / "compose.yaml"],
            _check(project),
            measure.auditlib("check", project, "--format", "json"),
        ],
        runs=5,
        accepted=(0, 1),
    )
    wall, cpu = zizmor.wall + lint.wall, zizmor.cpu + lint.cpu
    rows = [
        ("zizmor, then compose-lint", wall, cpu, 1.0),
        ("auditlib check --no-scanners", alone.wall, alone.cpu, alone.wall / wall),
        ("auditlib check", scanned.wall, scanned.cpu, scanned.wall / wall),
    ]
    header = ("what", "wall s", "processor s", "ratio of wall")
    measure.table("auditlib check, 10 services and 800 files", header, rows, show)


if __name__ == "__main__":
    main()
