"""All runs of a store, each beside the one before it."""

from __future__ import annotations

from auditlib import history
from auditlib.errors import UsageError
from auditlib.history import Row, Run
from auditlib.runs.store import Contents, Stored


def overview(contents: Contents) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Each run with what changed since the one before, the newest first; and a line for each that can't be read."""
    rows: list[Row] = []
    problems: list[str] = []
    before: Run | None = None
    for stored in contents.runs:
        run = _load(stored, problems)
        rows.append(Row(stored.id, stored.standing, history.changes(before, run) if before and run else None))
        before = run
    return tuple(reversed(rows)), tuple(problems)


def _load(stored: Stored, problems: list[str]) -> Run | None:
    try:
        return stored.load()
    except UsageError as error:
        problems.append(str(error))
        return None
