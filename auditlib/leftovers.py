"""Folders that go with the process that made them: at once, or, if it was killed, when the next one comes by."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_YOUNG = 60.0
"""Seconds in which whoever made a folder may not have come to hold it yet."""


@contextmanager
def temporary(kind: str) -> Iterator[Path]:
    """A folder of our own among the temporary ones; those of its kind that killed processes have left are removed."""
    prefix = f"auditlib-{kind}-"
    sweep(Path(tempfile.gettempdir()).glob(f"{prefix}*"), _is_ours)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        with held(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Hold a folder's lock, which goes when the process does; whether nobody else holds it.

    Where there are no such locks it counts as held by somebody.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except OSError:
        yield False
    finally:
        os.close(handle)


def sweep(folders: Iterable[Path], is_left: Callable[[Path], bool]) -> None:
    """Remove those of the folders that nobody holds and that may be removed."""
    for folder in folders:
        with suppress(OSError), held(folder) as free:  # it may be another user's, or gone in the meantime
            if free and is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    """Whether a folder is this user's, and no link; what was made this moment may not be held yet."""
    about = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and about.st_uid == os.getuid() and _is_old(about.st_mtime)


def _is_old(modified: float) -> bool:
    return time.time() - modified > _YOUNG
