"""Where past runs are kept: a folder with a file a run, named by its time.

Each run writes a file of its own, whole or not at all, so that runs at the same time lose nothing. A file that can't be
understood is told and left out; the rest goes on.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from auditlib import history
from auditlib.errors import UsageError
from auditlib.history import History, Run, Standing
from auditlib.patterns import regex
from auditlib.runs import document
from auditlib.runs.document import UnreadableRun

LIMIT = 200
"""Runs that are kept; the oldest go first."""
WORDS = ("latest", "previous")
"""Names of runs beside their dates and ids."""
_HEAD_LIMIT = 100_000
"""Characters of the longest first line."""
_NAME = regex(r"\d{8}T\d{12}Z-([0-9a-f]{8})\.jsonl")
_DATE = regex(r"\d{4}-\d{2}-\d{2}")


class Stored(Struct, frozen=True):
    """A run in the store: `id` names it."""

    id: str
    standing: Standing
    path: Path

    def load(self) -> Run:
        """All of it. Raises UsageError if it can't be read."""
        try:
            return document.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, UnreadableRun) as error:
            raise UsageError(f"the run {self.path} can't be read: {_why(error)}; delete it, or name another") from None


class Contents(Struct, frozen=True):
    """The runs of a store, oldest first, and a line for each file that could not be read."""

    runs: tuple[Stored, ...]
    problems: tuple[str, ...]


class Store:
    """The runs of one project, in `folder`, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder. Raises UsageError if nothing can be kept there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"no history can be kept in {self.folder}: {error.strerror}; {_ELSEWHERE}") from None
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise UsageError(f"no history can be kept in {self.folder}, which can't be written to; {_ELSEWHERE}")

    def contents(self) -> Contents:
        """What there is; nothing if there is no such folder."""
        found: list[Stored] = []
        problems: list[str] = []
        for path in self._files():
            try:
                found.append(Stored(_id(path), _standing(path), path))
            except FileNotFoundError:
                continue  # a run at the same time has made room
            except (OSError, UnicodeDecodeError, UnreadableRun) as error:
                problems.append(f"the run {path} is left out of the history: {_why(error)}")
        return Contents(tuple(sorted(found, key=lambda run: (run.standing.time, run.path.name))), tuple(problems))

    def keep(self, run: Run) -> None:
        """Add a run, and let the oldest go. Raises UsageError if it can't be written."""
        self.prepare()
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}-{secrets.token_hex(4)}.jsonl"
        unfinished = self.folder / f".{name}"
        try:
            unfinished.write_text(document.dumps(run), encoding="utf-8")
            unfinished.replace(self.folder / name)
        except OSError as error:
            raise UsageError(f"the run can't be kept in {self.folder}: {error.strerror}; {_ELSEWHERE}") from None
        finally:
            unfinished.unlink(missing_ok=True)
        for path in self._files()[:-LIMIT]:
            path.unlink(missing_ok=True)

    def find(self, name: str) -> Stored:
        """The run of a name: `latest`, `previous`, a date, or how an id begins. Raises UsageError if there is none."""
        contents = self.contents()
        found = _named(contents.runs, name)
        if len(found) == 1:
            return found[0]
        known = ", ".join(run.id for run in contents.runs[-_NAMED:])
        kept = f"those kept are {known}" if known else "none is kept there"
        unread = (
            f"; {len(contents.problems)} can't be read, which `auditlib history` names" if contents.problems else ""
        )
        count = "more than one run" if found else "no run"
        raise UsageError(f"{count} in {self.folder} is called {name!r}; {kept}{unread}")

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UsageError(f"the history in {self.folder} can't be read: {error.strerror}") from None


def before(contents: Contents, run: Run) -> tuple[History, tuple[str, ...]]:
    """What a report on `run` needs of the store, and a line for each run that turned out to be broken."""
    steps = history.before([stored.standing for stored in contents.runs], run.standing)
    problems: list[str] = []
    for stored in reversed([item for item in contents.runs if item.standing in steps]):
        try:
            return History(steps, stored.load()), tuple(problems)
        except UsageError as error:
            problems.append(str(error))
    return History(), tuple(problems)


def _named(runs: Sequence[Stored], name: str) -> Sequence[Stored]:
    if name in WORDS:
        back = WORDS.index(name) + 1
        return runs[-back:][:1] if len(runs) >= back else []
    if _DATE.fullmatch(name):
        return [run for run in runs if run.standing.time.startswith(name)][-1:]
    return [run for run in runs if name and run.id.startswith(name)]


def _id(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def _standing(path: Path) -> Standing:
    if path.is_symlink() or not path.is_file():
        raise UnreadableRun("it is no regular file")
    with path.open(encoding="utf-8") as file:
        return document.standing_of(file.readline(_HEAD_LIMIT))


def _why(error: Exception) -> str:
    if isinstance(error, UnreadableRun):
        return str(error)
    return (error.strerror or "it can't be opened") if isinstance(error, OSError) else "it is no text"


_ELSEWHERE = "name another folder with --history, or switch it off with --no-history"
_NAMED = 8
