"""A report's folder: there as a whole, or not at all."""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from auditlib import leftovers
from auditlib.errors import UsageError

CORE = frozenset({"index.html", "notebooks", "tables", "findings.json", "findings.csv", "snapshot.json"})
"""What every report consists of."""
ENTRIES = CORE | {"slides.html", "report.pdf", "report.md"}
"""What a report may consist of. A folder with anything else in it is not ours to replace."""


@contextmanager
def published(output: Path) -> Iterator[Path]:
    """A folder to write the report into; it becomes `output` when all went well, and vanishes otherwise.

    What a process that was killed has left of such a folder vanishes too. Raises UsageError if something that is no
    report of ours stands in its place.
    """
    output = output.absolute()
    check(output)
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        leftovers.sweep(output.parent.glob(f"{glob.escape(_prefix(output))}*"), _is_left)
        staging = Path(tempfile.mkdtemp(prefix=_prefix(output), dir=output.parent))
    except OSError as error:
        raise UsageError(
            f"the report can't be written to {output}: {error.strerror}; name another folder with -o"
        ) from None
    try:
        with leftovers.held(staging):
            yield staging
            staging.chmod(0o777 & ~_umask())
            _replace(output, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _prefix(output: Path) -> str:
    return f".{output.name}-unfinished-"


def _is_left(folder: Path) -> bool:
    """Whether a folder holds parts of a report and nothing else; an empty one may have been made this moment."""
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() and not folder.is_symlink() else set()
    return bool(names) and names <= ENTRIES


def check(output: Path) -> None:
    """Raise UsageError if `output` is something else than an earlier report or an empty folder."""
    if not output.exists() and not output.is_symlink():
        return
    if output.is_symlink() or not output.is_dir():
        raise UsageError(f"{output} is no folder; name another place for the report with -o")
    foreign = sorted(entry.name for entry in output.iterdir() if entry.name not in ENTRIES)
    if foreign:
        raise UsageError(f"{output} holds {foreign[0]}, which is not part of a report; name another folder with -o")


def _replace(output: Path, staging: Path) -> None:
    """Put the new folder in the place of the old one, which comes back if that fails."""
    if not output.exists():
        staging.rename(output)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        output.rename(old / output.name)
        try:
            staging.rename(output)
        except OSError:
            (old / output.name).rename(output)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    """The process's mask for new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
