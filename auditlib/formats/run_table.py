"""A project's runs, one a row: as text for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from rich.text import Text

from auditlib.formats import json_text
from auditlib.history import Row
from auditlib.model import Area, Severity
from auditlib.verdict import Readiness

VERSION = 1
_AREAS = {
    Area.ORCHESTRATION: "orch", Area.CONFIGURATION: "conf", Area.MONITORING: "mon", Area.CICD: "ci/cd",
    Area.RESILIENCE: "res",
}  # fmt: skip
_VERDICTS = {
    Readiness.READY: ("ready", "green"),
    Readiness.NOT_KNOWN: ("not known", "yellow"),
    Readiness.CONDITIONS: ("conditions", "yellow"),
    Readiness.NOT_READY: ("not ready", "red"),
}
_LEGEND = "Scores of 100 by area: " + ", ".join(f"{short} {area}" for area, short in _AREAS.items())
_HEADINGS = ("when (UTC)", "run", "commit", "verdict", *_AREAS.values(), *map(str, Severity), "new", "fixed")
_LEFT = 4
"""Columns of words, which begin at their left edge; numbers end at their right one."""


def styled(rows: Sequence[Row]) -> Text:
    """The table as rich text; a console decides about colours."""
    cells = [_HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    text = Text().append(f"{_line(_HEADINGS, widths)}\n", "bold")
    for row, shown in zip(rows, cells[1:], strict=True):
        line = Text(_line(shown, widths))
        line.highlight_words([_VERDICTS[row.standing.readiness][0]], _VERDICTS[row.standing.readiness][1])
        text.append(line).append("\n")
    text.append(f"\n{_LEGEND}. New and fixed: against the run before.\n", "dim")
    return text.append("".join(f"{line}\n" for line in _changes_of_version(rows)), "dim")


def document(project: str, rows: Sequence[Row]) -> str:
    """The runs as JSON, the newest first."""
    shown = {"version": VERSION, "project": project, "runs": [_row(row) for row in rows]}
    return json_text(shown)


def _changes_of_version(rows: Sequence[Row]) -> Iterator[str]:
    """Where another auditlib judges than before, with what its new rules have found."""
    for after, before in pairwise(rows):
        versions = before.standing.version, after.standing.version
        if all(versions) and versions[0] != versions[1]:
            found = len(after.changes.by_new_rules) if after.changes else 0
            by_rules = f"; {found} found by new rules" if found else ""
            yield f"{after.id}: auditlib {versions[1]} after {versions[0]}{by_rules}."


def _cells(row: Row) -> tuple[str, ...]:
    changes = row.changes
    return (
        row.standing.minute,
        row.id,
        row.standing.commit[:10] or "-",
        _VERDICTS[row.standing.readiness][0],
        *("-" if points is None else str(points) for _, points in row.standing.scores),
        *(str(number) for _, number in row.standing.counts),
        str(len(changes.new)) if changes else "-",
        str(len(changes.fixed)) if changes else "-",
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.ljust(width) if number < _LEFT else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _row(row: Row) -> dict[str, Any]:
    standing, changes = row.standing, row.changes
    return {
        "id": row.id,
        "time": standing.time,
        "commit": standing.commit,
        "auditlib": standing.version or None,
        "readiness": standing.readiness.name.lower(),
        "scores": {str(area): points for area, points in standing.scores},
        "open": {str(severity): number for severity, number in standing.counts},
        "new": len(changes.new) if changes else None,
        "fixed": len(changes.fixed) if changes else None,
        "grown": len(changes.grown) if changes else None,
        "shrunk": len(changes.shrunk) if changes else None,
        "by_new_rules": len(changes.by_new_rules) if changes else None,
    }
