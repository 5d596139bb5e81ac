"""Starting the scanners side by side, each in a copy of the files that it wants, and waiting for them in time.

A repository under audit is hostile until shown otherwise. So a scanner never runs inside of it: its files (only those
that the audit lists and can read, within the audit's limits) are copied to an empty folder. There it finds no
configuration file of the repository that could switch its checks off, no link that leads elsewhere, and no folder of
Git. Its environment holds a search path and nothing else: no token, no proxy, no home.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from auditlib.scanners._scanner import Scanner
from auditlib.source import Source, Unreadable

TIME_LIMIT = 15.0
"""Seconds from the start after which a scanner counts as hanging: an audit of whatever input takes twenty at most.

The ones that are dependencies need less than one, and for a thousand Compose files some seconds.
"""
OUTPUT_LIMIT = 50_000_000
"""Bytes of output that are read; a scanner that writes more is not believed."""


def search_path() -> str:
    """Where scanners are looked for: beside the Python that runs us (the environment's own), then on PATH."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def find(scanner: Scanner, path: str) -> str | None:
    """The program of a scanner, or None if it isn't installed."""
    return shutil.which(scanner.name, path=path)


class Failure(Exception):  # noqa: N818  # `except Failure` says it
    """A scanner crashed, hung, or wrote too much; the message says which."""


class Run(Struct):
    """A scanner that was started."""

    scanner: Scanner
    process: subprocess.Popen[bytes]
    output: Path
    deadline: float

    def result(self) -> str:
        """What it printed, once it has ended. Raises Failure."""
        try:
            status = self.process.wait(max(0.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure("did not end in time and was stopped") from None
        if status not in self.scanner.exits:
            raise Failure(f"ended with status {status}")
        if self.output.stat().st_size > OUTPUT_LIMIT:
            raise Failure(f"wrote more than {OUTPUT_LIMIT / 1e6:.0f} MB")
        return self.output.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End it and every process that it has started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start(scanner: Scanner, program: str, source: Source, files: Iterable[str], folder: Path, limit: float) -> Run:
    """Start a scanner on copies of these files below `folder`, an empty one."""
    work, output = folder / "files", folder / "output"
    work.mkdir(parents=True)
    (folder / ".git").mkdir()  # compose-lint follows references up to the repository around it: this one holds nothing
    copied = _copy(source, files, work, scanner.prepared)
    with output.open("wb") as stdout:
        process = subprocess.Popen(
            [program, *scanner.arguments(copied)],
            stdin=subprocess.DEVNULL, stdout=stdout, cwd=work, start_new_session=True,
            stderr=subprocess.STDOUT if scanner.joins_errors else subprocess.DEVNULL,
            env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"},
        )  # fmt: skip
    return Run(scanner, process, output, time.monotonic() + limit)


def _copy(source: Source, files: Iterable[str], work: Path, prepared: Callable[[str], str]) -> list[str]:
    copied = []
    for file in files:
        try:
            text = source.text(file)
        except Unreadable:
            continue  # its coverage entry says why
        target = work / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(prepared(text), encoding="utf-8", newline="\n")
        copied.append(file)
    return copied
