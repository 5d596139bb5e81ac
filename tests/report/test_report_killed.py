"""A report that is killed while it is written leaves neither processes nor folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditlib import publishing, shipped

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc to see processes")

Run = subprocess.Popen[bytes]


def eventually(holds: Callable[[], object]) -> bool:
    """Whether something comes to hold within half a minute."""
    for _ in range(600):
        if holds():
            return True
        time.sleep(0.05)
    return False


def of_this_test(marker: Path) -> list[int]:
    """The processes that were started with this path in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(marker).encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _heed_signals() -> None:
    """Let a process be ended by signals, which a run of the tests in the background ignores and hands down."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[Run]:
    """A report whose notebooks are at work."""
    environment = os.environ | {"MARKER": str(tmp_path)}
    command = [sys.executable, "-m", "auditlib", "report", str(shipped.example()), "--no-history"]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "report")],
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=_heed_signals,  # noqa: PLW1509 - the test has no other thread
    )
    assert eventually(lambda: list(tmp_path.glob(".*/notebooks")) and len(of_this_test(tmp_path)) > 3)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_clean(at_work: Run, tmp_path: Path, number: signal.Signals, status: int) -> None:
    at_work.send_signal(number)
    _, said = at_work.communicate(timeout=30)

    assert at_work.returncode == status
    assert said == b""
    assert list(tmp_path.iterdir()) == []
    assert eventually(lambda: of_this_test(tmp_path) == [])


def test_after_a_kill_the_workers_end_and_the_next_report_sweeps(at_work: Run, tmp_path: Path) -> None:
    at_work.kill()
    at_work.wait(timeout=30)

    assert eventually(lambda: of_this_test(tmp_path) == [])
    assert list(tmp_path.glob(".report-*"))
    with publishing.published(tmp_path / "report") as folder:
        (folder / "index.html").write_text("x", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_another_process_writes_or_somebody_else_keeps_is_not_swept(at_work: Run, tmp_path: Path) -> None:
    (kept := tmp_path / ".report-unfinished-mine").mkdir()
    (kept / "index.html").write_text("x", encoding="utf-8")
    (kept / "notes.txt").write_text("x", encoding="utf-8")
    with publishing.published(tmp_path / "report"):
        pass

    assert at_work.wait(timeout=120) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [".report-unfinished-mine", "report"]
