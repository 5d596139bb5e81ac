"""All runs of a store, each beside the one before it."""

from __future__ import annotations

from auditlib import comparison
from auditlib.entries import Entry
from auditlib.errors import UsageError
from auditlib.history import Row
from auditlib.runs.store import Contents, Stored


def overview(contents: Contents) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Each run with what changed since the one before, the newest first; and a line for each that can't be read."""
    rows: list[Row] = []
    problems: list[str] = []
    before: tuple[Entry, ...] | None = None
    for stored in contents.runs:
        findings = _findings(stored, problems)
        compared = before is not None and findings is not None
        rows.append(
            Row(stored.id, stored.standing, comparison.compare(before or (), findings or ()) if compared else None)
        )
        before = findings
    return tuple(reversed(rows)), tuple(problems)


def _findings(stored: Stored, problems: list[str]) -> tuple[Entry, ...] | None:
    try:
        return stored.load().findings
    except UsageError as error:
        problems.append(str(error))
        return None
