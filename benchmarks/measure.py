"""Times a command as a whole process, with the system's own account of it; each run is a line on stderr."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figures:
    """Medians over the runs: seconds of wall clock and of processor, peak memory of the largest process in MB."""

    wall: float
    cpu: float
    memory: float


def auditlib(*arguments: str | Path) -> list[str]:
    """The command line of auditlib under this interpreter."""
    return [sys.executable, "-m", "auditlib", *map(str, arguments)]


def run(command: Sequence[str | Path], runs: int = 3, accepted: tuple[int, ...] = (0,)) -> Figures:
    """Run a command `runs` times after one warm-up. Raises RuntimeError where it ends with another status."""
    return in_turn([command], runs, accepted)[0]


def in_turn(commands: Sequence[Sequence[str | Path]], runs: int = 3, accepted: tuple[int, ...] = (0,)) -> list[Figures]:
    """Run commands in turn (A B A B …), so that a machine that slows down slows all of them."""
    taken: list[list[Figures]] = [[] for _ in commands]
    for count in range(runs + 1):
        for index, command in enumerate(commands):
            figures = _once(command, accepted)
            _tell(f"run {count} of {runs}" if count else "warm-up", command, figures)
            if count:
                taken[index].append(figures)
    return [
        Figures(*(statistics.median(getattr(one, name) for one in each) for name in ("wall", "cpu", "memory")))
        for each in taken
    ]


def _tell(step: str, command: Sequence[str | Path], figures: Figures) -> None:
    """A benchmark takes minutes, and its tables come at the end."""
    shown = " ".join(Path(part).name for part in map(str, command) if len(part) < 200)
    print(f"{step}: {shown}: {figures.wall:.2f} s", file=sys.stderr, flush=True)


def _once(command: Sequence[str | Path], accepted: tuple[int, ...]) -> Figures:
    started = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )  # with compiled modules, as an installed program has them
    assert process.stderr is not None
    complaints = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status) not in accepted:
        raise RuntimeError(f"{command} ended with {os.waitstatus_to_exitcode(status)}: {complaints.decode()[-500:]}")
    return Figures(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]], show: Callable[[str], None]) -> None:
    """Print a table in Markdown."""
    show(f"\n## {title}\n")
    show("| " + " | ".join(header) + " |")
    show("|" + "---|" * len(header))
    for row in rows:
        show("| " + " | ".join(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row) + " |")
