"""Memory of a command with everything that it starts: the peak of the sum of PSS, looked at ten times a second.

The proportional set size counts a page that several processes share once, as in `/proc/PID/smaps_rollup` of Linux.
Looking costs the command time, so a run that is looked at is not timed.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

INTERVAL = 0.1
"""Seconds between two looks."""


def peak(command: Sequence[str | Path]) -> float:
    """MB of all processes at once, at most. Raises CalledProcessError if the command fails."""
    highest = 0
    words = [str(part) for part in command]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            highest = max(highest, sum(map(_size, _family(process.pid))))
            time.sleep(INTERVAL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)
    return highest / 1024


def _family(number: int) -> Iterator[int]:
    """A process and all that it started, directly or not."""
    yield number
    for thread in Path(f"/proc/{number}/task").glob("*/children"):
        for child in _read(thread).split():
            yield from _family(int(child))


def _size(number: int) -> int:
    """The proportional set size of a process in kB; none of one that has just ended."""
    lines = _read(Path(f"/proc/{number}/smaps_rollup")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
