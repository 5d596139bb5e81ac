"""Temporary folders go with the process that made them, even if it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditlib import leftovers
from auditlib.scanners import Scan, Scanner
from auditlib.source import Source

HOLDS = """
import sys
from auditlib import leftovers
with leftovers.temporary("scan") as folder:
    (folder / "zizmor").mkdir()
    print(folder, flush=True)
    sys.stdin.read()
"""
LONG_AGO = (1_000_000, 1_000_000)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """Another audit, at work in its folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    os.utime(process.stdout.readline().strip(), LONG_AGO)
    yield process
    process.kill()
    process.communicate()


def folders(temporary: Path) -> list[str]:
    return sorted(path.name.rpartition("-")[0] for path in temporary.glob("auditlib-*"))


def test_what_a_killed_process_has_left_goes_with_the_next(temporary: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait(timeout=30)
    assert folders(temporary) == ["auditlib-scan"]
    with leftovers.temporary("scan") as folder:
        assert list(temporary.glob("auditlib-*")) == [folder]
    assert folders(temporary) == []


def test_the_next_run_of_the_scanners_sweeps(temporary: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait(timeout=30)
    wants = Scanner("sleep", lambda source: ["x"], lambda files: ["0"], lambda text: iter(()))
    with Scan(Source(temporary), [wants], "/usr/bin:/bin"):
        assert len(folders(temporary)) == 1
    assert folders(temporary) == []


def test_what_is_in_use_is_of_another_kind_or_was_made_just_now_stays(
    temporary: Path, other: subprocess.Popen[str]
) -> None:
    for name in ("auditlib-print-a", "auditlib-scan-young", "mine"):
        (temporary / name).mkdir()
    (temporary / "auditlib-scan-link").symlink_to(temporary / "mine")
    os.utime(temporary / "auditlib-print-a", LONG_AGO)
    os.utime(temporary / "mine", LONG_AGO)
    with leftovers.temporary("scan"):
        pass
    assert other.poll() is None
    assert folders(temporary) == ["auditlib-print", "auditlib-scan", "auditlib-scan", "auditlib-scan"]
